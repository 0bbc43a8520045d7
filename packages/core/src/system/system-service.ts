/** What the HTTP layer calls about the engine itself: version, info, events, disk usage. */
import type * as wire from '@dockerd-ts/api'
import type { ContainerContext } from '../containers/container-context.ts'
import type { SystemService } from '../engine.ts'
import { invalidArgument } from '../errors/engine-error.ts'
import { eventFilter } from '../events/event-filters.ts'
import { KeyedMutex } from '../support/keyed-mutex.ts'
import { checkDisk } from './check-disk.ts'
import { diskUsage } from './disk-usage.ts'
import { systemInfo } from './system-info.ts'
import type { SystemParts } from './system-parts.ts'
import { systemVersion } from './system-version.ts'

export function createSystemService(parts: SystemParts): SystemService {
  const { context, images, disk } = parts
  // One at a time: two repairs would see each other's work as problems.
  const checks = new KeyedMutex()
  return {
    version: () => systemVersion(context),
    info: () => systemInfo(context, images),
    events: (query) => events(context, query),
    diskUsage: (query) => diskUsage(parts, query),
    checkDisk: (query) => checks.run('', () => checkDisk({ ...disk, registry: context.registry }, query)),
  }
}

type EventQuery = Parameters<SystemService['events']>[0]

function events(
  context: ContainerContext,
  { sinceNs, untilNs, filters, signal }: EventQuery,
): AsyncIterable<wire.EventMessage> {
  if (sinceNs !== undefined && untilNs !== undefined && sinceNs > untilNs) {
    const seconds = (timeNs: bigint) => timeNs / 1_000_000_000n
    throw invalidArgument(`\`since\` time (${seconds(sinceNs)}) cannot be after \`until\` time (${seconds(untilNs)})`)
  }
  return context.events.subscribe({
    ...(sinceNs !== undefined && { sinceNs }),
    // Docker takes 0 for "everything up to now".
    ...(untilNs !== undefined && { untilNs: untilNs === 0n ? context.clock.nowNs() : untilNs }),
    matches: eventFilter(filters),
    signal,
  })
}
