/** Containers as the engine shows them: list, inspect, top, changes, wait, prune, archive. */
import * as z from 'zod'
import { ContainerConfig, HostConfig, PortMap } from './container-config.ts'
import { EndpointSettings } from './endpoint-settings.ts'
import { MountPoint } from './mounts.ts'
import { OCIDescriptor } from './oci.ts'
import { int64, stringMap, strings, uint16 } from './primitives.ts'

export const PortSummary = z.object({
  IP: z.string().optional(),
  PrivatePort: uint16,
  PublicPort: uint16.optional(),
  Type: z.string(),
})
export type PortSummary = z.infer<typeof PortSummary>

export const ContainerStatusName = z.enum(['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'])
export type ContainerStatusName = z.infer<typeof ContainerStatusName>

export const ContainerSummary = z.object({
  Id: z.string(),
  /** With the leading slash. */
  Names: strings,
  Image: z.string(),
  ImageID: z.string(),
  ImageManifestDescriptor: OCIDescriptor.optional(),
  Command: z.string(),
  /** Unix seconds. */
  Created: int64,
  Ports: z.array(PortSummary),
  SizeRw: int64.optional(),
  SizeRootFs: int64.optional(),
  Labels: stringMap,
  State: ContainerStatusName,
  Status: z.string(),
  HostConfig: z.object({ NetworkMode: z.string().optional(), Annotations: stringMap.nullish() }),
  Health: z.object({ Status: z.string(), FailingStreak: int64 }).optional(),
  NetworkSettings: z.object({ Networks: z.record(z.string(), EndpointSettings) }),
  Mounts: z.array(MountPoint),
  /** dockerd-ts's own, with `removed=1`: Unix seconds. */
  RemovedAt: int64.optional(),
})
export type ContainerSummary = z.infer<typeof ContainerSummary>

export const HealthcheckResult = z.object({
  Start: z.string(),
  End: z.string(),
  ExitCode: int64,
  Output: z.string(),
})
export type HealthcheckResult = z.infer<typeof HealthcheckResult>

export const Health = z.object({
  Status: z.enum(['none', 'starting', 'healthy', 'unhealthy']),
  FailingStreak: int64,
  Log: z.array(HealthcheckResult).nullable(),
})
export type Health = z.infer<typeof Health>

export const ContainerState = z.object({
  Status: ContainerStatusName,
  Running: z.boolean(),
  Paused: z.boolean(),
  Restarting: z.boolean(),
  OOMKilled: z.boolean(),
  Dead: z.boolean(),
  Pid: int64,
  ExitCode: int64,
  Error: z.string(),
  /** RFC 3339 with nanoseconds; `0001-01-01T00:00:00Z` is never. */
  StartedAt: z.string(),
  FinishedAt: z.string(),
  Health: Health.optional(),
})
export type ContainerState = z.infer<typeof ContainerState>

export const DriverData = z.object({ Name: z.string(), Data: stringMap.nullable() })
export type DriverData = z.infer<typeof DriverData>

export const NetworkSettings = z.object({
  SandboxID: z.string(),
  SandboxKey: z.string(),
  Ports: PortMap,
  Networks: z.record(z.string(), EndpointSettings),
})
export type NetworkSettings = z.infer<typeof NetworkSettings>

export const ContainerInspectResponse = z.object({
  Id: z.string(),
  Created: z.string(),
  Path: z.string(),
  Args: strings,
  State: ContainerState,
  Image: z.string(),
  ResolvConfPath: z.string(),
  HostnamePath: z.string(),
  HostsPath: z.string(),
  LogPath: z.string(),
  Name: z.string(),
  RestartCount: int64,
  Driver: z.string(),
  Platform: z.string(),
  MountLabel: z.string(),
  ProcessLabel: z.string(),
  AppArmorProfile: z.string(),
  ExecIDs: strings.nullable(),
  HostConfig: HostConfig,
  GraphDriver: DriverData.optional(),
  /** dockerd-ts's own, with `removed=1`: RFC 3339. */
  RemovedAt: z.string().optional(),
  Storage: z.object({ RootFS: z.object({ Snapshot: z.object({ Name: z.string() }) }) }).optional(),
  SizeRw: int64.optional(),
  SizeRootFs: int64.optional(),
  Mounts: z.array(MountPoint),
  Config: ContainerConfig,
  NetworkSettings: NetworkSettings,
  ImageManifestDescriptor: OCIDescriptor.optional(),
})
export type ContainerInspectResponse = z.infer<typeof ContainerInspectResponse>

export const ContainerRun = z.object({
  StartedAt: z.string(),
  FinishedAt: z.string(),
  ExitCode: int64,
  Cause: z.enum(['exited', 'signalled', 'out-of-memory', 'requested', 'unhealthy', 'unknown']),
  Signal: z.string().optional(),
  OOMVictim: z.object({ Pid: int64, Name: z.string() }).optional(),
  /** One sentence. */
  Explanation: z.string(),
  LastLines: strings,
})
export type ContainerRun = z.infer<typeof ContainerRun>

/** dockerd-ts's own. */
export const ContainerWhyResponse = z.object({
  Id: z.string(),
  Name: z.string(),
  Status: ContainerStatusName,
  Error: z.string(),
  /** RFC 3339; of a container that was removed and is kept. */
  RemovedAt: z.string().optional(),
  /** Newest first. */
  Runs: z.array(ContainerRun),
})
export type ContainerWhyResponse = z.infer<typeof ContainerWhyResponse>

export const ContainerTopResponse = z.object({ Titles: strings, Processes: z.array(strings).nullable() })
export type ContainerTopResponse = z.infer<typeof ContainerTopResponse>

/** Kind: 0 modified, 1 added, 2 deleted. */
export const FilesystemChange = z.object({
  Path: z.string(),
  Kind: z.union([z.literal(0), z.literal(1), z.literal(2)]),
})
export type FilesystemChange = z.infer<typeof FilesystemChange>

export const ContainerWaitResponse = z.object({
  StatusCode: int64,
  Error: z.object({ Message: z.string() }).optional(),
})
export type ContainerWaitResponse = z.infer<typeof ContainerWaitResponse>

export const ContainerPruneResponse = z.object({ ContainersDeleted: strings.nullable(), SpaceReclaimed: int64 })
export type ContainerPruneResponse = z.infer<typeof ContainerPruneResponse>

/** The X-Docker-Container-Path-Stat header's content; `mode` is a Go os.FileMode, not st_mode. */
export const ContainerPathStat = z.object({
  name: z.string(),
  size: int64,
  mode: int64,
  mtime: z.string(),
  linkTarget: z.string(),
})
export type ContainerPathStat = z.infer<typeof ContainerPathStat>

export const IDResponse = z.object({ Id: z.string() })
export type IDResponse = z.infer<typeof IDResponse>
