/** What the HTTP layer calls about containers: each method is one use case. */
import type * as wire from '@dockerd-ts/api'
import type { ContainerService } from '../engine.ts'
import { notImplemented } from '../errors/engine-error.ts'
import { explainContainer } from '../runs/explain-container.ts'
import { attachToContainer } from './attach-to-container.ts'
import type { ContainerContext } from './container-context.ts'
import { containerLogs } from './container-logs.ts'
import { containerStats } from './container-stats.ts'
import { containerTop } from './container-top.ts'
import { createContainer } from './create-container.ts'
import { inspectContainer } from './inspect-container.ts'
import { killContainer } from './kill-container.ts'
import { listContainers } from './list-containers.ts'
import { pauseContainer, unpauseContainer } from './pause-container.ts'
import { pruneContainers } from './prune-containers.ts'
import { removeContainer } from './remove-container.ts'
import { renameContainer } from './rename-container.ts'
import { resizeContainer } from './resize-container.ts'
import { restartContainer } from './restart-container.ts'
import { startContainer } from './start-container.ts'
import { stopContainer } from './stop-container.ts'
import { updateContainer } from './update-container.ts'
import { waitForContainer } from './wait-for-container.ts'

export function createContainerService(context: ContainerContext): ContainerService {
  return {
    list: (query) => listContainers(context, query),
    create: (request) => createContainer(context, request),
    inspect: (reference, query) => inspectContainer(context, reference, query),
    why: (reference) => explainContainer(context, reference),
    top: (reference, psArguments) => containerTop(context, reference, psArguments),
    logs: async (reference, options) => containerLogs(context, reference, options),
    changes: (reference) => changes(context, reference),
    stats: async (reference, query) => containerStats(context, reference, query),
    resize: (reference, size) => resizeContainer(context, reference, size),
    start: (reference) => startContainer(context, reference),
    stop: (reference, options) => stopContainer(context, reference, options),
    restart: (reference, options) => restartContainer(context, reference, options),
    kill: (reference, options) => killContainer(context, reference, options.signal),
    update: (reference, body) => updateContainer(context, reference, body),
    rename: (reference, name) => renameContainer(context, reference, name),
    pause: (reference) => pauseContainer(context, reference),
    unpause: (reference) => unpauseContainer(context, reference),
    attach: (reference, options) => attachToContainer(context, reference, options),
    wait: async (reference, options) => waitForContainer(context, reference, options),
    remove: (reference, options) => removeContainer(context, reference, options),
    prune: (filters) => pruneContainers(context, filters),
    ...notYetServed(context),
  }
}

const changeKinds = { modified: 0, added: 1, deleted: 2 } as const

async function changes(context: ContainerContext, reference: string): Promise<wire.FilesystemChange[]> {
  const { id } = context.registry.find(reference)
  const found = await context.rootFilesystems.changes(id)
  return found.map(({ path, kind }) => ({ Path: path, Kind: changeKinds[kind] }))
}

type NotYetServed = Pick<ContainerService, 'export' | 'statPath' | 'getArchive' | 'putArchive' | 'commit'>

/** These need tar streams of a container's root; until then they say so, after the reference has been checked. */
function notYetServed(context: ContainerContext): NotYetServed {
  const refuse = async (reference: string, what: string): Promise<never> => {
    context.registry.find(reference)
    throw notImplemented(`dockerd-ts does not serve ${what}`)
  }
  return {
    export: (reference) => refuse(reference, 'exporting the filesystem of a container'),
    statPath: (reference) => refuse(reference, 'copying files from a container'),
    getArchive: (reference) => refuse(reference, 'copying files from a container'),
    putArchive: (reference) => refuse(reference, 'copying files to a container'),
    commit: ({ container }) => refuse(container, 'making an image from a container'),
  }
}
