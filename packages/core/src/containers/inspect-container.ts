/** Everything about one container. Takes no lock: it answers while a stop waits. */
import type * as wire from '@dockerd-ts/api'
import { healthView } from '../health/health-state.ts'
import { mountPoints } from '../mounts/mount-points.ts'
import { commandOf } from '../spec/index.ts'
import { rfc3339Nano } from '../support/go-time.ts'
import { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import type { ContainerRecord } from './container-record.ts'
import { wireState } from './container-state.ts'
import { linksView } from './links.ts'
import { networkModeOf } from './network-mode.ts'
import { networksView, portMap, shownEndpoints } from './network-view.ts'

export async function inspectContainer(
  context: ContainerContext,
  reference: string,
  { size, removed = false }: { size: boolean; removed?: boolean },
): Promise<wire.ContainerInspectResponse> {
  if (removed) return inspectRemoved(context, reference)
  const container = context.registry.find(reference)
  return { ...(await view(context, container)), ...(size && (await sizes(context, container))) }
}

/** What it was when it was removed: of its files there is the log alone. */
async function inspectRemoved(context: ContainerContext, reference: string): Promise<wire.ContainerInspectResponse> {
  const { id, record, logBytes, removedAtNs } = context.removed.find(reference)
  return {
    ...(await view(context, new Container(record))),
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: logBytes > 0 ? context.files.keptLogPath(id) : '',
    GraphDriver: { Name: 'overlay2', Data: null },
    RemovedAt: rfc3339Nano(removedAtNs),
  }
}

async function view(context: ContainerContext, container: Container): Promise<wire.ContainerInspectResponse> {
  const { record } = container
  const [path = '', ...args] = commandOf(record.config)
  return {
    Id: record.id,
    Created: rfc3339Nano(record.createdAtNs),
    Path: path,
    Args: args,
    State: stateView(container),
    Image: record.imageId,
    ResolvConfPath: record.nameFiles?.resolvConfPath ?? '',
    HostnamePath: record.nameFiles?.hostnamePath ?? '',
    HostsPath: record.nameFiles?.hostsPath ?? '',
    LogPath: logPath(context, container),
    Name: `/${record.name}`,
    RestartCount: record.state.restartCount,
    Driver: 'overlay2',
    Platform: record.platform,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: context.hostDescription.apparmorAvailable ? appArmorProfile(record.hostConfig) : '',
    ExecIDs: context.execs.idsOf(record.id),
    HostConfig: { ...record.hostConfig, Links: linksView(context, record) },
    GraphDriver: { Name: 'overlay2', Data: await driverData(context, record.id) },
    Mounts: mountPoints(record.mounts, ({ name = '' }) => context.volumes.mountpoint(name)),
    Config: { ...record.config, ...askedMacAddress(record) },
    NetworkSettings: networkSettings(context, container),
    ...imageManifest(context, record.imageId),
  }
}

/** Of a container that is being removed, or whose files are damaged, nothing is known. */
async function driverData(context: ContainerContext, id: string): Promise<Record<string, string> | null> {
  try {
    return { ...(await context.rootFilesystems.describe(id)) }
  } catch {
    return null
  }
}

/** Only one that was asked for of an interface, not the one of the run; API 1.52 dropped the field, older ones have it. */
function askedMacAddress({ hostConfig: { NetworkMode: mode = '' }, endpoints }: ContainerRecord): {
  MacAddress?: string
} {
  const address = mode === 'none' || mode === 'host' ? undefined : endpoints[mode]?.MacAddress
  return address ? { MacAddress: address } : {}
}

/** A file that `docker logs` reads exists since the first start. */
function logPath(context: ContainerContext, { record }: Container): string {
  const isKept = record.hostConfig.LogConfig?.Type === 'json-file'
  return isKept && record.state.startedAtNs !== '' ? context.files.logPath(record.id) : ''
}

function stateView({ record }: Container): wire.ContainerState {
  const { state } = record
  return {
    ...wireState(record),
    OOMKilled: state.oomKilled,
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: rfc3339Nano(state.startedAtNs),
    FinishedAt: rfc3339Nano(state.finishedAtNs),
    ...(state.health && { Health: healthView(state.health) }),
  }
}

function appArmorProfile(hostConfig: wire.HostConfig): string {
  const named = (hostConfig.SecurityOpt ?? []).map((option) => /^apparmor[=:](.*)$/.exec(option)?.[1]).find(Boolean)
  return named ?? (hostConfig.Privileged ? 'unconfined' : 'docker-default')
}

/** Bytes of the writable layer, and of it and the image together. */
export async function sizes(
  context: ContainerContext,
  { record }: Container,
): Promise<{ SizeRw: number; SizeRootFs: number }> {
  const writable = await context.rootFilesystems.writableSizeBytes(record.id)
  return { SizeRw: writable, SizeRootFs: imageSizeBytes(context, record.imageId) + writable }
}

function imageSizeBytes(context: ContainerContext, imageId: string): number {
  try {
    return context.images.resolve(imageId).sizeBytes
  } catch {
    // Removed by force: what the container keeps of it is not counted twice.
    return 0
  }
}

function networkSettings(context: ContainerContext, { record }: Container): wire.NetworkSettings {
  const endpoints = shownEndpoints(context.networks, record)
  const [first] = endpoints
  const shared = networkModeOf(record.hostConfig).kind === 'container'
  return {
    SandboxID: first === undefined ? '' : record.id,
    SandboxKey: first?.namespacePath ?? '',
    Ports: shared ? {} : portMap(record, endpoints),
    Networks: networksView(context.networks, record, endpoints),
  }
}

/** Not of an image that was removed under its container. */
export function imageManifest(
  { images }: Pick<ContainerContext, 'images'>,
  imageId: string,
): { ImageManifestDescriptor?: wire.OCIDescriptor } {
  const descriptor = images.manifestOf(imageId)
  return descriptor === undefined ? {} : { ImageManifestDescriptor: descriptor }
}
