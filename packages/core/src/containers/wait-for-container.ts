/** Answers when a container has ended or is gone; registered before the answer's headers go out. */
import type * as wire from '@dockerd-ts/api'
import type { Container, WaitCondition } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import { isRunning } from './container-state.ts'

export function waitForContainer(
  context: ContainerContext,
  reference: string,
  { condition, signal }: { condition: WaitCondition; signal: AbortSignal },
): { result: Promise<wire.ContainerWaitResponse> } {
  const container = context.registry.find(reference)
  switch (condition) {
    case 'removed':
      return { result: container.waitFor('removal', signal) }
    case 'next-exit':
      return { result: container.waitFor('exit', signal) }
    case 'not-running':
      if (isRunning(container.record.status)) return { result: container.waitFor('exit', signal) }
      return { result: afterStart(container, signal) }
  }
}

/** A start under way is awaited, as Docker's lock has it: what it comes to decides whether there is an end to wait for. */
async function afterStart(container: Container, signal: AbortSignal): Promise<wire.ContainerWaitResponse> {
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  while (container.record.status === 'starting' && !signal.aborted) await Promise.race([container.changed(), aborted])
  return isRunning(container.record.status) ? container.waitFor('exit', signal) : container.waitResponse()
}
