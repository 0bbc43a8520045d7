/** The working directory of a new container, made where the image has none: copies, diff and commit show it before any start. */
import type { ContainerContext } from './container-context.ts'
import type { ContainerRecord } from './container-record.ts'
import { mountIdsOf } from './id-map.ts'

export async function makeWorkingDirectory(context: ContainerContext, record: ContainerRecord): Promise<void> {
  const { id, imageId, config, hostConfig } = record
  const directory = config.WorkingDir || '/'
  if (directory === '/' || context.imageDirectories.has(imageId, directory)) return
  const result = await context.rootFilesystems.makeDirectory(id, directory, mountIdsOf(context, hostConfig))
  if (result === 'existed') context.imageDirectories.add(imageId, directory)
}
