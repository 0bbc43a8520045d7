/** Changes the size of a container's terminal. */
import { conflict } from '../errors/engine-error.ts'
import { type ContainerContext, publishContainerEvent } from './container-context.ts'

export async function resizeContainer(
  context: ContainerContext,
  reference: string,
  size: { height: number; width: number },
): Promise<void> {
  const container = context.registry.find(reference)
  const { run } = container
  if (run === undefined) throw conflict(`container ${container.id} is not running`)
  // Without a terminal there is nothing to resize; Docker answers 200 all the same.
  if (container.record.config.Tty) await run.monitor.resize(size)
  publishContainerEvent(context, container, {
    action: 'resize',
    attributes: { height: String(size.height), width: String(size.width) },
  })
}
