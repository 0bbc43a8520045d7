/** What the engine is made from: adapters for every port, the services of its neighbours, and settings. */
import type * as wire from '@dockerd-ts/api'
import type { ImageService, NetworkService, VolumeService } from './engine.ts'
import type { EventBus } from './events/event-bus.ts'
import type { ContainerArchives } from './ports/archives.ts'
import type { CdiDevices } from './ports/cdi.ts'
import type { DataRoot, DiskOwner, ImageLedger } from './ports/disk-ledger.ts'
import type { ContainerFiles, Host, HostDescription } from './ports/host.ts'
import type { ImageCatalog } from './ports/images.ts'
import type { LogTargets } from './ports/log-targets.ts'
import type { Monitors } from './ports/monitor.ts'
import type { ContainerNetworks, NameFiles, PortRequest } from './ports/networks.ts'
import type { Records } from './ports/records.ts'
import type { Cgroups, Runtimes } from './ports/runtime.ts'
import type { Logs, RootFilesystems, Volumes } from './ports/storage.ts'
import type { Clock } from './support/clock.ts'
import type { Logger } from './support/logger.ts'

/** Ids of a container's user namespace, and the host's that they are. */
export interface IdMap {
  /** Lines of uid_map and of gid_map, joined by commas, with a slash between the two. */
  text: string
  /** The container's root. */
  root: { uid: number; gid: number }
}

/** Read at each use, never copied: a reload of the daemon's configuration changes them in place. */
export interface EngineSettings {
  /** Of the engine itself, for `version` and `info`. */
  version: string
  gitCommit: string
  buildTime: string
  apiVersion: string
  minApiVersion: string
  dataRoot: string
  /** Daemon labels, `key=value`. */
  labels: readonly string[]
  debug: boolean
  experimental: boolean
  /** For containers that name none. */
  defaultLogConfig: { type: string; options: Readonly<Record<string, string>> }
  /** Ten seconds in Docker. */
  defaultStopTimeoutSeconds: number
  defaultShmSizeBytes: number
  /** '' lets the cgroup version decide: private on v2, host on v1. */
  defaultCgroupNamespaceMode: '' | 'private' | 'host'
  defaultIpcMode: 'private' | 'shareable'
  /** Run an init in every container that does not say otherwise. */
  defaultInit: boolean
  defaultUlimits: readonly { Name: string; Soft: number; Hard: number }[]
  noNewPrivileges: boolean
  /** Containers without a label that says otherwise are restarted when their health check fails. */
  restartUnhealthy: boolean
  /** Starts at boot follow Compose's depends_on labels. */
  composeStartOrder: boolean
  /** What a client that asks about the system is told of how the API can be reached. */
  apiWarnings: readonly string[]
  /** Of removed containers: how long record and log are kept (0: not at all), and how many bytes of all of them. */
  removed: { retentionMs: number; limitBytes: number }
  /** `builtin`, `unconfined` or the path of a file; shown in `info`. */
  seccompProfileName: string
  /** `docker-init`, or what --init-path names; and what is known of its version. */
  init: { binary: string; version: string }
  /** A whole seccomp profile as JSON; undefined is the built-in one. */
  seccompProfileJson?: string
  /** Whether containers outlive the daemon; shown in `info`. */
  liveRestore: boolean
  /** For containers that name none of the kind. */
  dns: { servers: readonly string[]; search: readonly string[]; options: readonly string[] }
  registry: wire.RegistryServiceConfig
  addressPools: readonly { Base: string; Size: number }[]
  /** Of containers that do not ask for the host's user namespace; undefined: all of them have it. */
  idMap?: IdMap
}

export interface EngineDependencies {
  settings: EngineSettings
  logger: Logger
  clock: Clock
  records: Records
  /** Made first (`new EventBus(records, clock)`), since images, networks and volumes publish too. */
  events: EventBus
  host: Host
  /** `await host.describe()`. */
  hostDescription: HostDescription
  files: ContainerFiles
  archives: ContainerArchives
  images: ImageCatalog
  networks: ContainerNetworks
  nameFiles: NameFiles
  rootFilesystems: RootFilesystems
  volumes: Volumes
  logs: Logs
  logTargets: LogTargets
  monitors: Monitors
  runtimes: Runtimes
  cgroups: Cgroups
  cdi: CdiDevices
  imageService: ImageService
  /** For `system fsck`; containers are claimed by the engine itself. */
  disk: { root: DataRoot; images: ImageLedger; owners: readonly DiskOwner[] }
  /** The neighbours' services, made with what they must know about containers. */
  networkService: (users: ContainerUsers) => NetworkService
  volumeService: (users: ContainerUsers) => VolumeService
}

/** What the services of networks and volumes ask about containers. */
export interface ContainerUsers {
  /** By id, name or id prefix. Throws notFound `No such container: x`. */
  find(reference: string): ContainerUser
  list(): ContainerUser[]
  /** Resolves when what its last run held on the host has been let go; at once while it runs. */
  released(containerId: string): Promise<void>
  /** One operation on a container at a time: network connect and disconnect take their turn with start and remove. */
  exclusively<T>(containerId: string, work: () => Promise<T>): Promise<T>
  /** Records that a container is to be in a network (undefined: no longer) from its next start on. */
  setEndpoint(containerId: string, network: string, settings: wire.EndpointSettings | undefined): void
}

export interface ContainerUser {
  id: string
  /** Without the leading slash. */
  name: string
  running: boolean
  hostname: string
  domainname: string
  /** As normalised at create: `bridge`, `none`, `host`, `container:<id>` or a network's name. */
  networkMode: string
  /** Network (as it was asked for) → settings. */
  endpoints: Readonly<Record<string, wire.EndpointSettings>>
  volumeNames: readonly string[]
  /** The ports that it publishes, on whichever network. */
  portRequests(): PortRequest[]
}
