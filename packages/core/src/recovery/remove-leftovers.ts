/** Host objects of ours that no record names: left by a create or a removal that was cut off. */
import type { ContainerContext } from '../containers/container-context.ts'
import { hasProcess } from '../containers/container-state.ts'

export async function removeLeftovers(context: ContainerContext): Promise<void> {
  const { registry, rootFilesystems, files, execs, removed } = context
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work()
      context.logger.info({}, `removed ${what}, which belongs to no container`)
    } catch (error) {
      context.logger.error({ err: error }, `could not remove ${what}`)
    }
  }
  const { unknown, mounted } = await rootFilesystems.existing((id) => registry.get(id) !== undefined)
  for (const id of unknown) await attempt(`root filesystem ${id}`, () => rootFilesystems.remove(id))
  for (const id of mounted) {
    const container = registry.get(id)
    if (container !== undefined && !hasProcess(container.record.status)) await rootFilesystems.unmount(id)
  }
  const found = files.existing()
  for (const id of found.dataIds) {
    if (registry.get(id) !== undefined) continue
    await removed.keepLog(id)
    await attempt(`data of container ${id}`, () => files.removeData(id))
  }
  await removed.reconcile()
  const running = new Set(
    registry
      .all()
      .filter(({ record }) => hasProcess(record.status))
      .map(({ id }) => files.runDirectory(id)),
  )
  for (const directory of found.runDirectories) {
    if (!running.has(directory)) await attempt(directory, () => files.removeDirectory(directory))
  }
  const execDirectories = new Set(
    execs
      .all()
      .filter(({ record }) => record.status !== 'exited')
      .map(({ record }) => files.execDirectory(record.id)),
  )
  for (const directory of found.execDirectories) {
    if (!execDirectories.has(directory)) await attempt(directory, () => files.removeDirectory(directory))
  }
}
