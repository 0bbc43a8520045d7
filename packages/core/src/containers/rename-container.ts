/** Gives a container another name, running or not. */
import { EngineError, invalidArgument, notFound } from '../errors/engine-error.ts'
import { crashPoint } from '../support/crash-point.ts'
import { type ContainerContext, publishContainerEvent } from './container-context.ts'
import { checkName } from './container-name.ts'

/** Throws invalidArgument for a bad name, conflict for one that is taken. */
export async function renameContainer(context: ContainerContext, reference: string, name: string): Promise<void> {
  if (name === '') throw invalidArgument('Neither old nor new names may be empty')
  const { id } = context.registry.find(reference)
  await context.locks.run(id, async () => {
    const container = context.registry.get(id)
    if (container === undefined) throw notFound(`No such container: ${reference}`)
    const { record } = container
    const oldName = record.name
    if (name.replace(/^\//, '') === oldName) {
      throw invalidArgument('Renaming a container with the same name as its current name')
    }
    const newName = allocate(context, id, name)
    context.registry.rename(container, newName)
    context.records.transaction(() => {
      context.records.updateContainer(record)
      publishContainerEvent(context, container, { action: 'rename', attributes: { oldName: `/${oldName}` } })
      context.events.flush()
    })
    crashPoint('rename:recorded')
  })
}

function allocate(context: ContainerContext, id: string, asked: string): string {
  try {
    const bare = checkName(asked, asked.startsWith('/') ? asked : `/${asked}`)
    context.registry.reserve(bare, id)
    return bare
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    throw new EngineError(error.kind, `Error when allocating new name: ${error.message}`, { cause: error })
  }
}
