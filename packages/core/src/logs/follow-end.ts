/** When following a container's log comes to its end. */
import type { Container } from '../containers/container.ts'

/** Aborted when the run that is being followed has ended and no restart follows. */
export function followEnd(container: Container, signal: AbortSignal): AbortSignal {
  const end = new AbortController()
  const watch = async () => {
    while (!signal.aborted) {
      const { run } = container
      if (run === undefined && container.record.status !== 'restarting') break
      if (run !== undefined) await Promise.race([run.ended, aborted(signal)])
      else await nextChange(container, signal)
    }
    end.abort()
  }
  void watch()
  return end.signal
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** While the policy waits to restart: until it runs again or has given up. */
async function nextChange(container: Container, signal: AbortSignal): Promise<void> {
  await Promise.race([container.changed(), aborted(signal)])
}
