/** What the HTTP layer calls about containers: each method is one use case. */
import type { ContainerService } from '../engine.ts'
import { explainContainer } from '../runs/explain-container.ts'
import { attachToContainer } from './attach-to-container.ts'
import { commitContainer } from './commit-container.ts'
import type { ContainerContext } from './container-context.ts'
import { containerLogs } from './container-logs.ts'
import { containerStats } from './container-stats.ts'
import { containerTop } from './container-top.ts'
import { getArchive, putArchive, statPath } from './copy-files.ts'
import { createContainer } from './create-container.ts'
import { containerChanges, exportContainer } from './export-container.ts'
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
    changes: (reference) => containerChanges(context, reference),
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
    forget: async (reference) => context.removed.forget(context.removed.find(reference).id),
    prune: (filters) => pruneContainers(context, filters),
    export: (reference) => exportContainer(context, reference),
    statPath: (reference, path) => statPath(context, reference, path),
    getArchive: (reference, path) => getArchive(context, reference, path),
    putArchive: (reference, request) => putArchive(context, reference, request),
    commit: (query) => commitContainer(context, query),
  }
}
