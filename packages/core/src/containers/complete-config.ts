/** The configurations as inspect shows them: every key is there, with Go's zero value where nothing was said. Pure. */
import type * as wire from '@dockerd-ts/api'

/** Keys that Docker leaves out when empty (ExposedPorts, Healthcheck, StopSignal …) stay as they are. */
export function completeConfig(config: wire.ContainerConfig): wire.ContainerConfig {
  return {
    ...withoutUndefined(config),
    Hostname: config.Hostname ?? '',
    Domainname: config.Domainname ?? '',
    User: config.User ?? '',
    AttachStdin: config.AttachStdin ?? false,
    AttachStdout: config.AttachStdout ?? false,
    AttachStderr: config.AttachStderr ?? false,
    Tty: config.Tty ?? false,
    OpenStdin: config.OpenStdin ?? false,
    StdinOnce: config.StdinOnce ?? false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    Image: config.Image ?? '',
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? {},
  }
}

export function completeHostConfig(hostConfig: wire.HostConfig): wire.HostConfig {
  return { ...zeroHostConfig, ...withoutEmptyMaps(withoutUndefined(hostConfig)), ...nested(hostConfig) }
}

function nested(hostConfig: wire.HostConfig): Partial<wire.HostConfig> {
  const { LogConfig: log, RestartPolicy: restart } = hostConfig
  return {
    LogConfig: { Type: log?.Type ?? '', Config: log?.Config ?? {} },
    RestartPolicy: { Name: restart?.Name || 'no', MaximumRetryCount: restart?.MaximumRetryCount ?? 0 },
    ...completeLists(hostConfig),
  }
}

/** Entries of lists have every key too; maps that Docker leaves out when empty are left out. */
function completeLists(hostConfig: wire.HostConfig): Partial<wire.HostConfig> {
  const { Devices: devices, DeviceRequests: requests, Ulimits: ulimits, PortBindings: ports } = hostConfig
  return {
    ...(devices && { Devices: devices.map((device) => ({ ...zeroDevice, ...device })) }),
    ...(requests && { DeviceRequests: requests.map((request) => ({ ...zeroDeviceRequest, ...request })) }),
    ...(ulimits && { Ulimits: ulimits.map((ulimit) => ({ Name: '', Hard: 0, Soft: 0, ...ulimit })) }),
    ...(ports && {
      PortBindings: mapValues(ports, (bindings) =>
        bindings === null ? null : bindings.map((binding) => ({ HostIp: '', HostPort: '', ...binding })),
      ),
    }),
  }
}

const zeroDevice = { PathOnHost: '', PathInContainer: '', CgroupPermissions: '' }
const zeroDeviceRequest = { Driver: '', Count: 0, DeviceIDs: null, Capabilities: null, Options: null }

const mapValues = <In, Out>(map: Readonly<Record<string, In>>, change: (value: In) => Out): Record<string, Out> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]))

/** Go's omitempty. */
function withoutEmptyMaps(hostConfig: wire.HostConfig): wire.HostConfig {
  const { StorageOpt: storage, Tmpfs: tmpfs, Sysctls: sysctls, Annotations: annotations, ...rest } = hostConfig
  const filled = Object.entries({ StorageOpt: storage, Tmpfs: tmpfs, Sysctls: sysctls, Annotations: annotations })
  return { ...rest, ...Object.fromEntries(filled.filter(([, map]) => map && Object.keys(map).length > 0)) }
}

const zeroHostConfig: wire.HostConfig = {
  Binds: null,
  ContainerIDFile: '',
  LogConfig: {},
  NetworkMode: '',
  PortBindings: null,
  RestartPolicy: {},
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: '',
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: '',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: 0,
  Runtime: '',
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T
}
