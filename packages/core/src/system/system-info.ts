/** `GET /info`: what the engine runs on and what it holds. */
import { randomUUID } from 'node:crypto'
import type * as wire from '@dockerd-ts/api'
import type { ContainerContext } from '../containers/container-context.ts'
import { hasProcess } from '../containers/container-state.ts'
import type { ImageService } from '../engine.ts'
import { logDrivers } from '../logs/log-config.ts'
import type { HostDescription } from '../ports/host.ts'
import { rfc3339Nano } from '../support/go-time.ts'

export async function systemInfo(context: ContainerContext, images: ImageService): Promise<wire.SystemInfo> {
  const { settings, hostDescription: host, runtimes } = context
  const { cgroup } = host
  const runtime = await runtimes.resolve().catch(() => undefined)
  const cdi = await context.cdi.discover()
  return {
    ID: engineId(context),
    ...containerCounts(context),
    Images: await imageCount(images),
    Driver: 'overlay2',
    DriverStatus: host.storageStatus.map(([name, value]): [string, string] => [name, value]),
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: logDrivers(context.logTargets),
    },
    MemoryLimit: cgroup.memoryLimit,
    SwapLimit: cgroup.swapLimit,
    CpuCfsPeriod: cgroup.cpuCfs,
    CpuCfsQuota: cgroup.cpuCfs,
    CPUShares: cgroup.cpuShares,
    CPUSet: cgroup.cpuset,
    PidsLimit: cgroup.pidsLimit,
    OomKillDisable: cgroup.oomKillDisable,
    IPv4Forwarding: host.ipv4Forwarding,
    Debug: settings.debug,
    NFd: context.host.openFileDescriptors(),
    NGoroutines: 0,
    SystemTime: rfc3339Nano(context.clock.nowNs()),
    LoggingDriver: settings.defaultLogConfig.type,
    CgroupDriver: context.cgroups.driver,
    CgroupVersion: context.cgroups.version,
    NEventsListener: context.events.listenerCount,
    KernelVersion: host.kernelVersion,
    OperatingSystem: host.operatingSystem,
    OSVersion: host.osVersion,
    OSType: 'linux',
    Architecture: host.machine,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: settings.registry,
    NCPU: host.cpuCount,
    MemTotal: host.memoryBytes,
    GenericResources: null,
    DockerRootDir: settings.dataRoot,
    HttpProxy: withoutPassword(host.proxies.http),
    HttpsProxy: withoutPassword(host.proxies.https),
    NoProxy: host.proxies.no,
    Name: host.hostname,
    Labels: [...settings.labels],
    ExperimentalBuild: settings.experimental,
    ServerVersion: settings.version,
    Runtimes: await runtimesWithFeatures(runtimes),
    DefaultRuntime: runtimes.defaultName,
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: settings.liveRestore,
    Isolation: '',
    InitBinary: settings.init.binary,
    // There is no containerd; clients print the field.
    ContainerdCommit: { ID: 'N/A' },
    RuncCommit: { ID: runtime?.version ?? 'N/A' },
    InitCommit: { ID: settings.init.version },
    SecurityOptions: securityOptions(host, settings),
    ...(settings.addressPools.length > 0 && {
      DefaultAddressPools: settings.addressPools.map((pool) => ({ ...pool })),
    }),
    FirewallBackend: { Driver: 'nftables' },
    CDISpecDirs: [...context.cdi.directories],
    ...(cdi.names.length > 0 && { DiscoveredDevices: cdi.names.map((ID) => ({ Source: 'cdi', ID })) }),
    Warnings: warnings(host, settings, cdi.problems),
  }
}

async function runtimesWithFeatures(runtimes: ContainerContext['runtimes']): Promise<wire.SystemInfo['Runtimes']> {
  const entries = Object.entries(runtimes.list()).map(async ([name, runtime]) => {
    const features = await runtimes.features(name)
    const status = features === undefined ? {} : { status: { 'org.opencontainers.runtime-spec.features': features } }
    return [name, { ...runtime, ...status }] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** Made once, kept with the engine's state. */
export function engineId({ records }: Pick<ContainerContext, 'records'>): string {
  const known = records.getValue('engine-id')
  if (known !== undefined) return known
  const id = randomUUID()
  records.setValue('engine-id', id)
  return id
}

function containerCounts({
  registry,
}: ContainerContext): Pick<wire.SystemInfo, 'Containers' | `Containers${'Running' | 'Paused' | 'Stopped'}`> {
  const counts = { Containers: registry.size, ContainersRunning: 0, ContainersPaused: 0, ContainersStopped: 0 }
  for (const { record } of registry.all()) {
    if (record.status === 'paused') counts.ContainersPaused += 1
    // One that waits for its restart is stopped here, if nowhere else.
    else if (hasProcess(record.status)) counts.ContainersRunning += 1
    else counts.ContainersStopped += 1
  }
  return counts
}

async function imageCount(images: ImageService): Promise<number> {
  const list = await images.list({ all: false, filters: {}, sharedSize: false, digests: false, manifests: false })
  return list.length
}

function withoutPassword(proxy: string): string {
  if (!URL.canParse(proxy)) return proxy
  const url = new URL(proxy)
  if (url.username === '' && url.password === '') return proxy
  url.username = 'xxxxx'
  url.password = 'xxxxx'
  return url.toString()
}

function securityOptions(host: HostDescription, settings: ContainerContext['settings']): string[] {
  const options: string[] = []
  if (host.apparmorAvailable) options.push('name=apparmor')
  if (host.seccompAvailable) {
    options.push(`name=seccomp,profile=${settings.seccompProfileName}`)
  }
  if (host.selinuxAvailable) options.push('name=selinux')
  if (host.cgroup.version === '2') options.push('name=cgroupns')
  if (settings.idMap !== undefined) options.push('name=userns')
  if (settings.noNewPrivileges) options.push('name=no-new-privileges')
  return options
}

/** In Docker's words and order; null when there is nothing to say. */
function warnings(
  { cgroup, ipv4Forwarding, seccompAvailable }: HostDescription,
  settings: ContainerContext['settings'],
  others: readonly string[],
): string[] | null {
  const missing: [boolean, string][] = [
    [cgroup.memoryLimit, 'No memory limit support'],
    [cgroup.swapLimit, 'No swap limit support'],
    [cgroup.oomKillDisable || cgroup.version === '2', 'No oom kill disable support'],
    [cgroup.cpuCfs, 'No cpu cfs quota support'],
    [cgroup.cpuCfs, 'No cpu cfs period support'],
    [cgroup.cpuShares, 'No cpu shares support'],
    [cgroup.cpuset, 'No cpuset support'],
    [ipv4Forwarding, 'IPv4 forwarding is disabled'],
    [!seccompAvailable || settings.seccompProfileName === 'builtin', 'daemon is not using the default seccomp profile'],
  ]
  const host = missing.filter(([present]) => !present).map(([, text]) => `WARNING: ${text}`)
  const texts = [...host, ...others, ...settings.apiWarnings]
  return texts.length > 0 ? texts : null
}
