/** Gathers what the OCI spec of a container is built from: users, devices, mounts, namespaces of others. */
import { fromRoot } from '../mounts/container-path.ts'
import { bindPropagation, checkReadOnlyOptions, wantsPropagation } from '../mounts/start-checks.ts'
import type { ResolvedRuntime } from '../ports/runtime.ts'
import {
  buildOciSpec,
  cdiDeviceNames,
  type OciSpec,
  type PlannedMount,
  type ResolvedUser,
  resolveUser,
  withSpecEdits,
} from '../spec/index.ts'
import { allSettled } from '../support/all-settled.ts'
import type { ContainerContext } from './container-context.ts'
import type { ContainerNetwork } from './container-network.ts'
import type { ContainerRecord, MountPlan } from './container-record.ts'
import { idMapOf } from './id-map.ts'
import { type JoinedNamespaces, joinedNamespaces } from './joined-namespaces.ts'
import { linkVariables } from './links.ts'

export interface SpecParts {
  root: string
  network: ContainerNetwork
  /** Of volumes and images, by destination. */
  mountedPaths: ReadonlyMap<string, string>
  runtime: ResolvedRuntime
}

export async function buildContainerSpec(
  context: ContainerContext,
  record: ContainerRecord,
  parts: SpecParts,
): Promise<OciSpec> {
  const { settings, hostDescription } = context
  const { config, hostConfig } = record
  const joined = joinedNamespaces(context, record)
  const userNamespace = joined.user ?? parts.network.userNamespacePath
  const [user, devices, shmPath, mounts] = await allSettled([
    userOf(context, parts.root, { user: config.User ?? '', groups: hostConfig.GroupAdd ?? [] }),
    context.host.findDevices(hostConfig),
    sharedMemory(context, record, joined),
    plannedMounts(context, record, parts),
  ])
  const [height = 0, width = 0] = hostConfig.ConsoleSize ?? []
  const plain = buildOciSpec({
    containerId: record.id,
    config,
    hostConfig,
    host: hostDescription,
    rootfsPath: parts.root,
    user,
    hostname: parts.network.hostname,
    ...(config.Domainname && { domainname: config.Domainname }),
    namespacePaths: {
      ...(parts.network.namespacePath !== undefined && { network: parts.network.namespacePath }),
      ...(joined.ipc !== undefined && { ipc: joined.ipc }),
      ...(joined.pid !== undefined && { pid: joined.pid }),
      ...(userNamespace !== undefined && { user: userNamespace }),
    },
    mounts,
    ...(shmPath !== undefined && { shmPath }),
    devices,
    cgroupsPath: context.cgroups.specPath(record.id, hostConfig.CgroupParent || undefined),
    ...(height > 0 && width > 0 && { consoleSize: { height, width } }),
    ...(settings.seccompProfileJson !== undefined && { defaultSeccompProfile: settings.seccompProfileJson }),
    initByDefault: settings.defaultInit,
    linkVariables: linkVariables(context, record),
  })
  const deviceNames = cdiDeviceNames(hostConfig)
  const spec = deviceNames.length === 0 ? plain : withSpecEdits(plain, await context.cdi.resolve(deviceNames))
  const annotations = await parts.runtime.seccompAnnotations(spec.linux.seccomp)
  return Object.keys(annotations).length === 0
    ? spec
    : { ...spec, annotations: { ...spec.annotations, ...annotations } }
}

/** Both files are small in any real image; a hostile one must not fill the daemon's memory. */
const userFileLimitBytes = 1024 * 1024

/** Throws invalidArgument `unable to find user x: no matching entries in passwd file`. */
export async function userOf(
  context: ContainerContext,
  root: string,
  asked: { user: string; groups: readonly string[] },
): Promise<ResolvedUser> {
  const [passwdText = '', groupText = ''] = await Promise.all([
    context.host.readFileInRoot(root, '/etc/passwd', userFileLimitBytes),
    context.host.readFileInRoot(root, '/etc/group', userFileLimitBytes),
  ])
  return resolveUser({ passwdText, groupText }, asked.user, asked.groups)
}

/** /dev/shm is a mount on the host when others may share it; who joins takes the same one. */
async function sharedMemory(
  context: ContainerContext,
  record: ContainerRecord,
  joined: JoinedNamespaces,
): Promise<string | undefined> {
  const { IpcMode: mode = '', ShmSize: sizeBytes = 0 } = record.hostConfig
  if (mode !== 'shareable') return joined.sharedMemory
  return context.files.mountSharedMemory(
    record.id,
    sizeBytes || context.settings.defaultShmSizeBytes,
    idMapOf(context, record.hostConfig)?.root,
  )
}

async function plannedMounts(
  context: ContainerContext,
  record: ContainerRecord,
  parts: SpecParts,
): Promise<PlannedMount[]> {
  // The spec takes every tmpfs from the HostConfig.
  const plans = record.mounts.filter((plan) => plan.type !== 'tmpfs')
  const mounts = plans.map(async (plan): Promise<PlannedMount> => {
    const isBind = plan.type === 'bind'
    const propagation = isBind ? await preparedBind(context, plan) : plan.propagation
    const source = isBind ? plan.source : (parts.mountedPaths.get(plan.destination) ?? '')
    return {
      kind: plan.type,
      source,
      destination: fromRoot(plan.destination),
      writable: plan.readWrite,
      ...(context.host.pathKind(source) !== 'directory' && { singleFile: true }),
      ...(propagation && { propagation }),
      ...(plan.nonRecursive && { nonRecursive: true }),
      ...(plan.readOnlyNonRecursive && { readOnlyNonRecursive: true }),
      ...(plan.readOnlyForceRecursive && { readOnlyForceRecursive: true }),
    }
  })
  return [...(await Promise.all(mounts)), ...nameFileMounts(parts.network)]
}

/** Makes the source where that is due; answers the propagation that the mount can have. */
async function preparedBind({ host, settings }: ContainerContext, plan: MountPlan): Promise<string> {
  checkReadOnlyOptions(plan)
  if (plan.createSource && host.pathKind(plan.source) === undefined) host.makeDirectory(plan.source)
  if (!wantsPropagation(plan)) return plan.propagation
  return bindPropagation(plan, await host.sourceMount(plan.source), settings.dataRoot)
}

const nameFileMounts = ({ nameFiles }: ContainerNetwork): PlannedMount[] =>
  [
    [nameFiles.resolvConfPath, '/etc/resolv.conf'],
    [nameFiles.hostnamePath, '/etc/hostname'],
    [nameFiles.hostsPath, '/etc/hosts'],
  ].map(([source = '', destination = '']) => ({ kind: 'file', source, destination, writable: true }))
