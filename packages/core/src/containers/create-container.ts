/** Makes a container: checks what is asked, merges it with the image, plans mounts, makes files, records it. */
import type * as wire from '@dockerd-ts/api'
import { invalidArgument, isEngineError } from '../errors/engine-error.ts'
import { planMounts } from '../mounts/plan-mounts.ts'
import { checkEndpoints } from '../networks/check-endpoints.ts'
import { resolveIfThere } from '../networks/network-service.ts'
import type { ImageSummary, Platform } from '../ports/images.ts'
import { crashPoint } from '../support/crash-point.ts'
import { newId, shortId } from '../support/ids.ts'
import { UndoStack } from '../support/undo-stack.ts'
import { completeConfig, completeHostConfig } from './complete-config.ts'
import { Container } from './container.ts'
import { type ContainerContext, publishContainerEvent } from './container-context.ts'
import { imagesOf, resolveMountedImages } from './container-images.ts'
import { checkName, inventName } from './container-name.ts'
import { type ContainerRecord, initialState, type MountPlan } from './container-record.ts'
import { createVolumes, removeCreatedVolumes } from './container-volumes.ts'
import { adaptHostConfig } from './host-config.ts'
import { mergeConfig } from './merge-config.ts'
import { networkModeOf, normalizeNetworking } from './network-mode.ts'
import { makeWorkingDirectory } from './working-directory.ts'

export interface CreateRequest {
  name?: string
  platform?: string
  body: wire.ContainerCreateRequest
  readOnlyNonRecursive?: boolean
}

export async function createContainer(
  context: ContainerContext,
  request: CreateRequest,
): Promise<wire.ContainerCreateResponse> {
  const { HostConfig: askedHostConfig = {}, NetworkingConfig: networking, ...askedConfig } = request.body
  if (Object.values(askedConfig).every((value) => value === undefined)) {
    throw invalidArgument('config cannot be empty in order to create a container')
  }
  const { hostConfig: checked, warnings } = adaptHostConfig(context, askedConfig, askedHostConfig)
  const hostConfig = completeHostConfig(checked)
  resolveReferences(context, hostConfig)
  // Docker runs a command without an image; this engine does not, but says the same where there is no command either.
  if (!askedConfig.Image) mergeConfig(askedConfig, {})
  const image = context.images.resolve(askedConfig.Image ?? '', parsePlatform(request.platform))
  const config = mergeConfig(askedConfig, image.config)
  const id = newId()
  const name = reserveName(context, id, request.name)
  try {
    const networkOf = (reference: string) => resolveIfThere(context.networks, reference)
    const { networkMode, endpoints } = normalizeNetworking(hostConfig, networking, config.MacAddress, networkOf)
    if (!config.NetworkDisabled) checkEndpoints(endpoints, networkOf)
    const record = newRecord(context, {
      id,
      name,
      image,
      config,
      hostConfig: { ...hostConfig, NetworkMode: networkMode },
      readOnlyNonRecursive: request.readOnlyNonRecursive ?? false,
    })
    resolveMountedImages(context, record)
    record.endpoints = config.NetworkDisabled ? {} : endpoints
    // No await since the image was resolved: from here on nobody can remove it, or the volumes that are named.
    context.registry.make(record)
    await makeContainer(context, new Container(record), image).finally(() => abandonUnlessMade(context, record))
    return { Id: id, Warnings: warnings }
  } catch (error) {
    context.registry.unreserve(name)
    throw error
  }
}

/** The image may have been removed by force while it was held for a container that did not come to be. */
function abandonUnlessMade(context: ContainerContext, record: ContainerRecord): void {
  if (context.registry.get(record.id) !== undefined) return
  context.registry.abandon(record)
  for (const imageId of imagesOf(record)) context.images.containerRemoved(imageId)
}

/** `container:<name>` is stored with the id, so that a rename of the other container changes nothing. */
function resolveReferences(context: ContainerContext, hostConfig: wire.HostConfig): void {
  for (const field of ['NetworkMode', 'IpcMode', 'PidMode'] as const) {
    const reference = /^container:(.*)$/.exec(hostConfig[field] ?? '')?.[1]
    if (reference === undefined) continue
    try {
      hostConfig[field] = `container:${context.registry.find(reference).id}`
    } catch (error) {
      // The network of a container that does not exist (yet) is found missing by the start, as in Docker.
      if (field === 'NetworkMode') continue
      throw asInvalidArgument(error)
    }
  }
  if (hostConfig.Links) hostConfig.Links = hostConfig.Links.map((link) => resolvedLink(context, link))
}

/** `id:alias`. */
function resolvedLink(context: ContainerContext, link: string): string {
  if (link === '') throw invalidArgument('empty string specified for links')
  const [name = '', alias = name, ...rest] = link.split(':')
  if (name === '' || rest.length > 0 || alias === '') throw invalidArgument(`bad format for links: ${link}`)
  try {
    return `${context.registry.find(name).id}:${alias}`
  } catch (error) {
    throw invalidArgument(`could not get container for ${name}: ${(error as Error).message}`, error)
  }
}

/** What a parameter names and does not exist makes the request wrong; 404 would be about the container itself. */
const asInvalidArgument = (error: unknown) =>
  isEngineError(error, 'notFound') ? invalidArgument(error.message, error) : error

/** `os[/arch[/variant]]`. */
function parsePlatform(text: string | undefined): Platform | undefined {
  if (text === undefined || text === '') return undefined
  const [os = '', architecture = '', variant] = text.toLowerCase().split('/')
  return { os, architecture, ...(variant !== undefined && { variant }) }
}

function reserveName(context: ContainerContext, id: string, asked: string | undefined): string {
  const { registry } = context
  const name = asked ? checkName(asked) : inventName(id, (candidate) => registry.holderOf(candidate) !== undefined)
  registry.reserve(name, id)
  return name
}

interface RecordInput {
  id: string
  name: string
  image: ImageSummary
  config: wire.ContainerConfig
  hostConfig: wire.HostConfig
  readOnlyNonRecursive: boolean
}

function newRecord(context: ContainerContext, input: RecordInput): ContainerRecord {
  const { id, config, hostConfig, readOnlyNonRecursive } = input
  const hostNetwork = networkModeOf(hostConfig).kind === 'host'
  const hostname = config.Hostname || (hostNetwork ? context.hostDescription.hostname : shortId(id))
  return {
    id,
    name: input.name,
    createdAtNs: String(context.clock.nowNs()),
    imageId: input.image.id,
    platform: input.image.platform.os,
    config: completeConfig({ ...config, Hostname: hostname }),
    hostConfig,
    endpoints: {},
    mounts: planMounts({
      hostConfig,
      volumes: config.Volumes,
      mountsOf: (reference) => context.registry.find(reference).record.mounts,
      dataRoot: context.settings.dataRoot,
      readOnlyNonRecursive,
    }),
    status: 'creating',
    state: initialState(),
  }
}

/**
 * A container that brings volumes is journalled as `creating` first; one without is recorded once, at the end, since
 * files without a row are removed by reconcile anyway.
 */
async function makeContainer(context: ContainerContext, container: Container, image: ImageSummary): Promise<void> {
  const { record } = container
  const { rootFilesystems, files, records, registry } = context
  const undo = new UndoStack()
  try {
    checkBindSources(context, record.mounts)
    const volumeNames = nameVolumes(record.mounts)
    if (volumeNames.length > 0) {
      undo.push('record', () => records.deleteContainer(record.id))
      records.insertContainer(record)
    }
    crashPoint('create:recorded')
    undo.push('files', () => files.removeData(record.id))
    files.createData(record.id)
    undo.push('root filesystem', () => rootFilesystems.remove(record.id))
    await rootFilesystems.create(record.id, context.images.layerDirectories(image.id))
    crashPoint('create:root-filesystem-made')
    await makeWorkingDirectory(context, record)
    undo.push('volumes', () => removeCreatedVolumes(context, record.mounts))
    await createVolumes(context, record)
    crashPoint('create:volumes-made')
    record.status = 'created'
    records.transaction(() => {
      if (volumeNames.length === 0) records.insertContainer(record)
      else {
        records.updateContainer(record)
        records.updateContainerState(record)
      }
      registry.add(container)
      publishContainerEvent(context, container, { action: 'create' })
      context.events.flush()
    })
    crashPoint('create:done')
  } catch (error) {
    for (const problem of await undo.unwind()) {
      context.logger.warn({ containerId: record.id, err: problem }, 'create could not be undone completely')
    }
    throw error
  }
}

/** Anonymous volumes get their names here, so that the journal knows them before they exist. */
function nameVolumes(mounts: readonly MountPlan[]): string[] {
  for (const mount of mounts) {
    if (mount.type === 'volume' && !mount.name) mount.name = newId()
  }
  return mounts.flatMap((mount) => (mount.type === 'volume' && mount.name ? [mount.name] : []))
}

/** Mounts of type bind need their source; Binds make it at start. */
function checkBindSources(context: ContainerContext, mounts: readonly MountPlan[]): void {
  for (const { type, source, createSource } of mounts) {
    if (type !== 'bind' || createSource || context.host.pathKind(source) !== undefined) continue
    throw invalidArgument(`invalid mount config for type "bind": bind source path does not exist: ${source}`)
  }
}
