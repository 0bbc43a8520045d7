/** Starts by policy what ran before, after the socket is open; each after those that it cannot start without. */
import type { Container } from '../containers/container.ts'
import type { ContainerContext } from '../containers/container-context.ts'
import { hasProcess } from '../containers/container-state.ts'
import { Limiter } from '../support/limiter.ts'
import { type StartDependency, startDependencies } from './start-order.ts'

const concurrency = 4
/** A dependency that is not ready by then is waited for no longer: the container starts, and can cope or fail by itself. */
const patienceMs = 60_000

export async function startAtBoot(context: ContainerContext, containers: readonly Container[]): Promise<void> {
  const dependencies = startDependencies(containers, { composeLabels: context.settings.composeStartOrder })
  const starts = new Limiter(concurrency)
  const begun = new Map<Container, Promise<void>>()
  const startInOrder = async (container: Container) => {
    const before = dependencies.get(container) ?? []
    await Promise.all(
      before.map(async (dependency) => {
        await begin(dependency.on)
        await holds(context, dependency)
      }),
    )
    await starts.run(() => start(context, container))
  }
  const begin = (container: Container): Promise<void> => {
    const started = begun.get(container) ?? startInOrder(container)
    begun.set(container, started)
    return started
  }
  await Promise.all(containers.map(begin))
}

async function start(context: ContainerContext, container: Container): Promise<void> {
  await context.locks.run(container.id, async () => {
    if (container.beingRemoved || context.stopping || container.record.status !== 'exited') return
    await context.startAgain(container)
  })
}

/** Resolves when the condition holds, cannot hold any more, or has taken too long. */
async function holds(context: ContainerContext, { on, condition }: StartDependency): Promise<void> {
  if (condition === 'service_started') return
  let late = false
  let cancel = () => {}
  const tooLate = new Promise<void>((resolve) => {
    cancel = context.clock.after(patienceMs, () => {
      late = true
      resolve()
    })
  })
  while (!late && !context.stopping && isPending(on, condition)) await Promise.race([on.changed(), tooLate])
  cancel()
  if (late) context.logger.warn({ containerId: on.id }, `not ${condition} in time: who depends on it is started anyway`)
}

function isPending({ record }: Container, condition: StartDependency['condition']): boolean {
  const { status, state } = record
  if (condition === 'service_completed_successfully') return hasProcess(status) || status === 'restarting'
  return hasProcess(status) && state.health !== undefined && state.health.status === 'starting'
}
