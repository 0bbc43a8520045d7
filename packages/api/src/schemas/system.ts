/** The engine itself: version, facts, events, disk usage. */
import * as z from 'zod'
import { ContainerSummary } from './containers.ts'
import { ImageSummary } from './images.ts'
import { int64, stringMap, strings } from './primitives.ts'
import { Volume } from './volumes.ts'

export const SystemVersion = z.object({
  Platform: z.object({ Name: z.string() }).optional(),
  Version: z.string(),
  ApiVersion: z.string(),
  MinAPIVersion: z.string(),
  Os: z.string(),
  Arch: z.string(),
  Components: z.array(z.object({ Name: z.string(), Version: z.string(), Details: stringMap.optional() })).optional(),
  GitCommit: z.string(),
  GoVersion: z.string(),
  KernelVersion: z.string().optional(),
  Experimental: z.boolean().optional(),
  BuildTime: z.string().optional(),
})
export type SystemVersion = z.infer<typeof SystemVersion>

export const Commit = z.object({ ID: z.string() })
export type Commit = z.infer<typeof Commit>

export const Runtime = z.object({
  path: z.string().optional(),
  runtimeArgs: strings.optional(),
  status: stringMap.optional(),
})
export type Runtime = z.infer<typeof Runtime>

export const IndexInfo = z.object({
  Name: z.string(),
  Mirrors: strings,
  Secure: z.boolean(),
  Official: z.boolean(),
})
export type IndexInfo = z.infer<typeof IndexInfo>

export const RegistryServiceConfig = z.object({
  InsecureRegistryCIDRs: strings,
  IndexConfigs: z.record(z.string(), IndexInfo),
  Mirrors: strings.nullable(),
})
export type RegistryServiceConfig = z.infer<typeof RegistryServiceConfig>

export const SwarmInfo = z.object({
  NodeID: z.string(),
  NodeAddr: z.string(),
  LocalNodeState: z.string(),
  ControlAvailable: z.boolean(),
  Error: z.string(),
  RemoteManagers: z.array(z.object({ NodeID: z.string(), Addr: z.string() })).nullable(),
})
export type SwarmInfo = z.infer<typeof SwarmInfo>

export const PluginsInfo = z.object({
  Volume: strings,
  Network: strings,
  Authorization: strings.nullable(),
  Log: strings,
})
export type PluginsInfo = z.infer<typeof PluginsInfo>

const pairs = z.array(z.tuple([z.string(), z.string()]))

export const SystemInfo = z.object({
  ID: z.string(),
  Containers: int64,
  ContainersRunning: int64,
  ContainersPaused: int64,
  ContainersStopped: int64,
  Images: int64,
  Driver: z.string(),
  DriverStatus: pairs,
  SystemStatus: pairs.optional(),
  Plugins: PluginsInfo,
  MemoryLimit: z.boolean(),
  SwapLimit: z.boolean(),
  CpuCfsPeriod: z.boolean(),
  CpuCfsQuota: z.boolean(),
  CPUShares: z.boolean(),
  CPUSet: z.boolean(),
  PidsLimit: z.boolean(),
  IPv4Forwarding: z.boolean(),
  Debug: z.boolean(),
  NFd: int64,
  OomKillDisable: z.boolean(),
  NGoroutines: int64,
  SystemTime: z.string(),
  LoggingDriver: z.string(),
  CgroupDriver: z.string(),
  CgroupVersion: z.string().optional(),
  NEventsListener: int64,
  KernelVersion: z.string(),
  OperatingSystem: z.string(),
  OSVersion: z.string(),
  OSType: z.string(),
  Architecture: z.string(),
  IndexServerAddress: z.string(),
  RegistryConfig: RegistryServiceConfig,
  NCPU: int64,
  /** Bytes. */
  MemTotal: int64,
  GenericResources: z.array(z.unknown()).nullable(),
  DockerRootDir: z.string(),
  HttpProxy: z.string(),
  HttpsProxy: z.string(),
  NoProxy: z.string(),
  Name: z.string(),
  Labels: strings,
  ExperimentalBuild: z.boolean(),
  ServerVersion: z.string(),
  Runtimes: z.record(z.string(), Runtime),
  DefaultRuntime: z.string(),
  Swarm: SwarmInfo,
  LiveRestoreEnabled: z.boolean(),
  Isolation: z.string(),
  InitBinary: z.string(),
  ContainerdCommit: Commit,
  RuncCommit: Commit,
  InitCommit: Commit,
  SecurityOptions: strings,
  ProductLicense: z.string().optional(),
  DefaultAddressPools: z.array(z.object({ Base: z.string(), Size: int64 })).optional(),
  FirewallBackend: z.object({ Driver: z.string(), Info: pairs.optional() }).optional(),
  CDISpecDirs: strings,
  DiscoveredDevices: z.array(z.object({ Source: z.string(), ID: z.string() })).optional(),
  NRI: z.object({ Info: pairs.optional() }).optional(),
  Containerd: z
    .object({ Address: z.string().optional(), Namespaces: z.object({ Containers: z.string(), Plugins: z.string() }) })
    .optional(),
  Warnings: strings.nullable(),
})
export type SystemInfo = z.infer<typeof SystemInfo>

export const EventActor = z.object({ ID: z.string(), Attributes: stringMap })
export type EventActor = z.infer<typeof EventActor>

export const EventMessage = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: EventActor,
  scope: z.string().optional(),
  /** Unix seconds. */
  time: int64,
  /** Unix nanoseconds, above 2^53: the engine gives a bigint so that no digit is lost; a client reads a number. */
  timeNano: z.union([int64, z.bigint()]),
})
export type EventMessage = z.infer<typeof EventMessage>

const usage = {
  ActiveCount: int64.optional(),
  TotalCount: int64.optional(),
  /** Bytes. */
  Reclaimable: int64.optional(),
  TotalSize: int64.optional(),
}

export const ImagesDiskUsage = z.object({ ...usage, Items: z.array(ImageSummary).optional() })
export type ImagesDiskUsage = z.infer<typeof ImagesDiskUsage>
export const ContainersDiskUsage = z.object({ ...usage, Items: z.array(ContainerSummary).optional() })
export type ContainersDiskUsage = z.infer<typeof ContainersDiskUsage>
export const VolumesDiskUsage = z.object({ ...usage, Items: z.array(Volume).optional() })
export type VolumesDiskUsage = z.infer<typeof VolumesDiskUsage>

export const BuildCache = z.object({
  ID: z.string(),
  Parents: strings.optional(),
  Type: z.string(),
  Description: z.string(),
  InUse: z.boolean(),
  Shared: z.boolean(),
  Size: int64,
  CreatedAt: z.string(),
  LastUsedAt: z.string().nullable(),
  UsageCount: int64,
})
export type BuildCache = z.infer<typeof BuildCache>
export const BuildCacheDiskUsage = z.object({ ...usage, Items: z.array(BuildCache).optional() })
export type BuildCacheDiskUsage = z.infer<typeof BuildCacheDiskUsage>

/** The engine always gives Items; the HTTP edge leaves them out, or adds the older keys, as the request asks. */
export const SystemDataUsage = z.object({
  ImageUsage: ImagesDiskUsage.optional(),
  ContainerUsage: ContainersDiskUsage.optional(),
  VolumeUsage: VolumesDiskUsage.optional(),
  BuildCacheUsage: BuildCacheDiskUsage.optional(),
})
export type SystemDataUsage = z.infer<typeof SystemDataUsage>

const measured = {
  Files: int64,
  /** Lengths of files, each hard-linked one once. */
  SizeBytes: int64,
  /** Allocated by the file system, directories included. */
  DiskBytes: int64,
}

/** What one kind of owner has below the data root. */
export const DiskOwnerUsage = z.object({
  Kind: z.string(),
  /** How many owners of the kind there are. */
  Owners: int64,
  ...measured,
})
export type DiskOwnerUsage = z.infer<typeof DiskOwnerUsage>

export const DiskProblem = z.object({
  /**
   * unowned: a file of nobody. missing: recorded and not there. damaged: other bytes than recorded. unused: nothing needs
   * it. inconsistent: records contradict each other.
   */
  Kind: z.enum(['unowned', 'missing', 'damaged', 'unused', 'inconsistent']),
  /** Relative to the data root; '' where the problem is one of records. */
  Path: z.string(),
  Owner: z.string(),
  OwnerID: z.string(),
  SizeBytes: int64,
  Detail: z.string(),
  Repaired: z.boolean(),
})
export type DiskProblem = z.infer<typeof DiskProblem>

/** `system fsck`: the sum over Owners and unowned problems is Total. */
export const DiskCheck = z.object({
  Owners: z.array(DiskOwnerUsage),
  Total: z.object(measured),
  Problems: z.array(DiskProblem),
})
export type DiskCheck = z.infer<typeof DiskCheck>

export const ErrorResponse = z.object({ message: z.string() })
export type ErrorResponse = z.infer<typeof ErrorResponse>
