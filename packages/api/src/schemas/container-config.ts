/** What a user configures: Config, HostConfig and NetworkingConfig, stored and echoed as they were sent. */
import * as z from 'zod'
import { EndpointSettings } from './endpoint-settings.ts'
import { Mount } from './mounts.ts'
import { consoleSize, int64, keySet, stringMap, strings, strSlice, uint16, uint64 } from './primitives.ts'

/** All durations in nanoseconds. */
export const HealthConfig = z.object({
  Test: strings.nullish(),
  Interval: int64.optional(),
  Timeout: int64.optional(),
  StartPeriod: int64.optional(),
  StartInterval: int64.optional(),
  Retries: int64.optional(),
})
export type HealthConfig = z.infer<typeof HealthConfig>

export const ContainerConfig = z.object({
  Hostname: z.string().optional(),
  Domainname: z.string().optional(),
  User: z.string().optional(),
  AttachStdin: z.boolean().optional(),
  AttachStdout: z.boolean().optional(),
  AttachStderr: z.boolean().optional(),
  ExposedPorts: keySet.nullish(),
  Tty: z.boolean().optional(),
  OpenStdin: z.boolean().optional(),
  StdinOnce: z.boolean().optional(),
  Env: strings.nullish(),
  Cmd: strSlice.nullish(),
  Healthcheck: HealthConfig.nullish(),
  ArgsEscaped: z.boolean().optional(),
  Image: z.string().optional(),
  Volumes: keySet.nullish(),
  WorkingDir: z.string().optional(),
  Entrypoint: strSlice.nullish(),
  NetworkDisabled: z.boolean().optional(),
  /** Before API 1.52; the version adapter moves it into EndpointsConfig. */
  MacAddress: z.string().optional(),
  OnBuild: strings.nullish(),
  Labels: stringMap.nullish(),
  StopSignal: z.string().optional(),
  /** Seconds. */
  StopTimeout: int64.nullish(),
  Shell: strSlice.nullish(),
})
export type ContainerConfig = z.infer<typeof ContainerConfig>

export const PortBinding = z.object({ HostIp: z.string().optional(), HostPort: z.string().optional() })
export type PortBinding = z.infer<typeof PortBinding>

/** `80/tcp` → bindings; null is a port that is exposed and not published. */
export const PortMap = z.record(z.string(), z.array(PortBinding).nullable())
export type PortMap = z.infer<typeof PortMap>

export const RestartPolicy = z.object({
  /** '', no, always, unless-stopped or on-failure. */
  Name: z.string().optional(),
  MaximumRetryCount: int64.optional(),
})
export type RestartPolicy = z.infer<typeof RestartPolicy>

export const LogConfig = z.object({ Type: z.string().optional(), Config: stringMap.nullish() })
export type LogConfig = z.infer<typeof LogConfig>

export const ThrottleDevice = z.object({ Path: z.string().optional(), Rate: uint64.optional() })
export type ThrottleDevice = z.infer<typeof ThrottleDevice>

export const DeviceMapping = z.object({
  PathOnHost: z.string().optional(),
  PathInContainer: z.string().optional(),
  CgroupPermissions: z.string().optional(),
})
export type DeviceMapping = z.infer<typeof DeviceMapping>

export const DeviceRequest = z.object({
  Driver: z.string().optional(),
  /** -1 is all devices. */
  Count: int64.optional(),
  DeviceIDs: strings.nullish(),
  Capabilities: z.array(strings).nullish(),
  Options: stringMap.nullish(),
})
export type DeviceRequest = z.infer<typeof DeviceRequest>

export const Ulimit = z.object({ Name: z.string().optional(), Soft: int64.optional(), Hard: int64.optional() })
export type Ulimit = z.infer<typeof Ulimit>

/** Memory in bytes, CPU periods and quotas in microseconds. */
export const Resources = z.object({
  CpuShares: int64.optional(),
  Memory: int64.optional(),
  NanoCpus: int64.optional(),
  CgroupParent: z.string().optional(),
  BlkioWeight: uint16.optional(),
  BlkioWeightDevice: z.array(z.object({ Path: z.string().optional(), Weight: uint16.optional() })).nullish(),
  BlkioDeviceReadBps: z.array(ThrottleDevice).nullish(),
  BlkioDeviceWriteBps: z.array(ThrottleDevice).nullish(),
  BlkioDeviceReadIOps: z.array(ThrottleDevice).nullish(),
  BlkioDeviceWriteIOps: z.array(ThrottleDevice).nullish(),
  CpuPeriod: int64.optional(),
  CpuQuota: int64.optional(),
  CpuRealtimePeriod: int64.optional(),
  CpuRealtimeRuntime: int64.optional(),
  CpusetCpus: z.string().optional(),
  CpusetMems: z.string().optional(),
  Devices: z.array(DeviceMapping).nullish(),
  DeviceCgroupRules: strings.nullish(),
  DeviceRequests: z.array(DeviceRequest).nullish(),
  MemoryReservation: int64.optional(),
  MemorySwap: int64.optional(),
  /** -1 is unset. */
  MemorySwappiness: int64.nullish(),
  OomKillDisable: z.boolean().nullish(),
  PidsLimit: int64.nullish(),
  Ulimits: z.array(Ulimit).nullish(),
  CpuCount: int64.optional(),
  CpuPercent: int64.optional(),
  IOMaximumIOps: uint64.optional(),
  IOMaximumBandwidth: uint64.optional(),
})
export type Resources = z.infer<typeof Resources>

export const HostConfig = z.object({
  Binds: strings.nullish(),
  ContainerIDFile: z.string().optional(),
  LogConfig: LogConfig.optional(),
  NetworkMode: z.string().optional(),
  PortBindings: PortMap.nullish(),
  RestartPolicy: RestartPolicy.optional(),
  AutoRemove: z.boolean().optional(),
  VolumeDriver: z.string().optional(),
  VolumesFrom: strings.nullish(),
  ConsoleSize: consoleSize.optional(),
  Annotations: stringMap.nullish(),
  CapAdd: strSlice.nullish(),
  CapDrop: strSlice.nullish(),
  CgroupnsMode: z.string().optional(),
  Dns: strings.nullish(),
  DnsOptions: strings.nullish(),
  DnsSearch: strings.nullish(),
  ExtraHosts: strings.nullish(),
  GroupAdd: strings.nullish(),
  IpcMode: z.string().optional(),
  Cgroup: z.string().optional(),
  Links: strings.nullish(),
  OomScoreAdj: int64.optional(),
  PidMode: z.string().optional(),
  Privileged: z.boolean().optional(),
  PublishAllPorts: z.boolean().optional(),
  ReadonlyRootfs: z.boolean().optional(),
  SecurityOpt: strings.nullish(),
  StorageOpt: stringMap.nullish(),
  Tmpfs: stringMap.nullish(),
  UTSMode: z.string().optional(),
  UsernsMode: z.string().optional(),
  /** Bytes. */
  ShmSize: int64.optional(),
  Sysctls: stringMap.nullish(),
  Runtime: z.string().optional(),
  Isolation: z.string().optional(),
  ...Resources.shape,
  Mounts: z.array(Mount).nullish(),
  /** null is the default list, [] masks nothing. */
  MaskedPaths: strings.nullish(),
  ReadonlyPaths: strings.nullish(),
  Init: z.boolean().nullish(),
})
export type HostConfig = z.infer<typeof HostConfig>

export const NetworkingConfig = z.object({
  /** Network name or id → settings; null asks for the defaults. */
  EndpointsConfig: z.record(z.string(), EndpointSettings.nullable()).nullish(),
})
export type NetworkingConfig = z.infer<typeof NetworkingConfig>

export const ContainerCreateRequest = z.object({
  ...ContainerConfig.shape,
  HostConfig: HostConfig.optional(),
  NetworkingConfig: NetworkingConfig.optional(),
})
export type ContainerCreateRequest = z.infer<typeof ContainerCreateRequest>

export const ContainerCreateResponse = z.object({ Id: z.string(), Warnings: strings })
export type ContainerCreateResponse = z.infer<typeof ContainerCreateResponse>

export const ContainerUpdateRequest = z.object({ ...Resources.shape, RestartPolicy: RestartPolicy.optional() })
export type ContainerUpdateRequest = z.infer<typeof ContainerUpdateRequest>

export const ContainerUpdateResponse = z.object({ Warnings: strings.nullable() })
export type ContainerUpdateResponse = z.infer<typeof ContainerUpdateResponse>
