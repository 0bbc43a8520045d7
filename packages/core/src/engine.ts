/**
 * What the HTTP layer calls: one method per thing a client can ask for. Requests come in parsed, in the newest API
 * version's shapes; answers go out in the newest shapes; api/versions adapts both at the edge. Errors are EngineErrors.
 * Wire types are named after Docker's published API description.
 */
import type { Duplex, Readable } from 'node:stream'
import type * as wire from '@dockerd-ts/api'
import type { ArchiveSource } from './ports/archives.ts'

/** Parsed `filters`: key → values. Both wire forms arrive like this; unknown keys are refused with `invalid filter 'x'`. */
export type Filters = Readonly<Record<string, readonly string[]>>

export interface Engine {
  system: SystemService
  containers: ContainerService
  exec: ExecService
  images: ImageService
  networks: NetworkService
  volumes: VolumeService
}

export interface SystemService {
  version(): Promise<wire.SystemVersion>
  info(): Promise<wire.SystemInfo>
  /** Registered before it returns; ends at `untilNs` or when the signal aborts. */
  events(query: {
    sinceNs?: bigint
    untilNs?: bigint
    filters: Filters
    signal: AbortSignal
  }): AsyncIterable<wire.EventMessage>
  /** Always with Items: the HTTP edge leaves them out, or writes the older keys, as the request asks. */
  diskUsage(query: {
    types: readonly ('container' | 'image' | 'volume' | 'build-cache')[]
  }): Promise<wire.SystemDataUsage>
  /** Holds records and files below the data root against each other. `verify` reads and hashes every blob. */
  checkDisk(query: { verify: boolean; repair: boolean }): Promise<wire.DiskCheck>
}

/** An attach, exec or log stream that is ready: the reply's headers are chosen from it, then `run` is given the socket. */
export interface StreamSession {
  /** True: eight-byte frames (no terminal). */
  readonly multiplexed: boolean
  /**
   * Reads the client's bytes (its end is a half-close, not a disconnect) and writes output; resolves when the output
   * has ended or the client left. The transport closes the connection afterwards.
   */
  run(connection: Duplex, signal: AbortSignal): Promise<void>
}

export interface AttachOptions {
  logs: boolean
  stream: boolean
  stdin: boolean
  stdout: boolean
  stderr: boolean
  /** Docker's syntax; undefined is the default `ctrl-p,ctrl-q`. */
  detachKeys?: string
}

export interface LogOptions {
  follow: boolean
  stdout: boolean
  stderr: boolean
  sinceNs?: bigint
  untilNs?: bigint
  /** undefined is all. */
  tail?: number
  timestamps: boolean
  details: boolean
  /** Beyond Docker: of a container that was removed, where its log is kept. */
  removed?: boolean
  signal: AbortSignal
}

export interface ContainerService {
  /** `removed`, beyond Docker: those that were removed and are kept. */
  list(query: {
    all: boolean
    limit?: number
    size: boolean
    filters: Filters
    removed?: boolean
  }): Promise<wire.ContainerSummary[]>
  create(request: {
    name?: string
    platform?: string
    body: wire.ContainerCreateRequest
    /** Read-only binds leave submounts writable, as older clients expect. */
    readOnlyNonRecursive?: boolean
  }): Promise<wire.ContainerCreateResponse>
  /** `removed`, beyond Docker: of a container that was removed and is kept. */
  inspect(reference: string, query: { size: boolean; removed?: boolean }): Promise<wire.ContainerInspectResponse>
  /** Beyond Docker: why the last runs ended, newest first; also of a container that was removed and is kept. */
  why(reference: string): Promise<wire.ContainerWhyResponse>
  top(reference: string, psArguments: string): Promise<wire.ContainerTopResponse>
  /** Checks first (throws), then streams: multiplexed frames, or raw bytes of a terminal. */
  logs(reference: string, options: LogOptions): Promise<{ multiplexed: boolean; chunks: AsyncIterable<Buffer> }>
  changes(reference: string): Promise<wire.FilesystemChange[]>
  /** A tar of the root filesystem, without volumes. */
  export(reference: string): Promise<Readable>
  stats(
    reference: string,
    query: { stream: boolean; oneShot: boolean; signal: AbortSignal },
  ): Promise<AsyncIterable<wire.ContainerStatsResponse>>
  resize(reference: string, size: { height: number; width: number }): Promise<void>
  /** notModified when it runs already. */
  start(reference: string, options: { detachKeys?: string }): Promise<void>
  /** notModified when it is not running. `timeoutSeconds` < 0 waits for ever; undefined is the container's own. */
  stop(reference: string, options: { signal?: string; timeoutSeconds?: number }): Promise<void>
  restart(reference: string, options: { signal?: string; timeoutSeconds?: number }): Promise<void>
  kill(reference: string, options: { signal?: string }): Promise<void>
  update(reference: string, body: wire.ContainerUpdateRequest): Promise<wire.ContainerUpdateResponse>
  rename(reference: string, name: string): Promise<void>
  pause(reference: string): Promise<void>
  unpause(reference: string): Promise<void>
  attach(reference: string, options: AttachOptions): Promise<StreamSession>
  /** Registered when it returns, so that headers can go out; `result` resolves later. */
  wait(
    reference: string,
    options: { condition: 'not-running' | 'next-exit' | 'removed'; signal: AbortSignal },
  ): Promise<{ result: Promise<wire.ContainerWaitResponse> }>
  remove(reference: string, options: { volumes: boolean; force: boolean; link: boolean }): Promise<void>
  /** Beyond Docker: deletes what is kept of a removed container before its time. */
  forget(reference: string): Promise<void>
  prune(filters: Filters): Promise<wire.ContainerPruneResponse>
  /** The stat of a path in the container, for the X-Docker-Container-Path-Stat header. */
  statPath(reference: string, path: string): Promise<wire.ContainerPathStat>
  getArchive(reference: string, path: string): Promise<{ stat: wire.ContainerPathStat; tar: Readable }>
  putArchive(
    reference: string,
    request: { path: string; noOverwriteDirNonDir: boolean; copyUidGid: boolean; body: ArchiveSource },
  ): Promise<void>
  commit(query: {
    container: string
    repository?: string
    tag?: string
    comment?: string
    author?: string
    pause: boolean
    changes: readonly string[]
    config?: wire.ContainerConfig
  }): Promise<{ Id: string }>
}

export interface ExecService {
  create(container: string, config: wire.ExecConfig): Promise<{ Id: string }>
  /** Checks, and for a detached exec has started it when it returns (no session). */
  start(execId: string, config: wire.ExecStartConfig): Promise<StreamSession | undefined>
  resize(execId: string, size: { height: number; width: number }): Promise<void>
  inspect(execId: string): Promise<wire.ExecInspectResponse>
}

/** One line of a progress stream: pull, load, push, import. */
export type ProgressMessage = wire.ProgressMessage

export interface RegistryAuth {
  username?: string
  password?: string
  serveraddress?: string
  identitytoken?: string
  registrytoken?: string
}

export interface RegistryAccess {
  auth?: RegistryAuth
  /** Plain HTTP and unknown certificates are allowed, for this one call. */
  insecure: boolean
  signal: AbortSignal
}

export interface ImageService {
  list(query: {
    all: boolean
    filters: Filters
    sharedSize: boolean
    digests: boolean
    manifests: boolean
  }): Promise<wire.ImageSummary[]>
  inspect(reference: string, query: { platform?: string; manifests: boolean }): Promise<wire.ImageInspect>
  history(reference: string, query: { platform?: string }): Promise<wire.ImageHistoryResponseItem[]>
  /** Statements of the predicates' types, or all; with what they say, or only which they are. */
  attestations(
    reference: string,
    query: { platform?: string; types: readonly string[]; statement: boolean },
  ): Promise<wire.AttestationStatement[]>
  /**
   * The first message is given only when the pull is certain to have begun: what fails before (no such repository,
   * denied, no network) is thrown by the first `next()`, as a status, not as a message.
   */
  pull(request: {
    image: string
    tag?: string
    platform?: string
    auth?: RegistryAuth
    signal: AbortSignal
  }): AsyncIterable<ProgressMessage>
  import(request: {
    source: Readable
    sourceName: string
    repository?: string
    tag?: string
    message?: string
    changes: readonly string[]
    platform?: string
    signal: AbortSignal
  }): AsyncIterable<ProgressMessage>
  load(request: {
    archive: Readable
    quiet: boolean
    platforms: readonly string[]
    signal: AbortSignal
  }): AsyncIterable<ProgressMessage>
  save(request: { references: readonly string[]; platforms: readonly string[] }): Promise<Readable>
  push(request: {
    image: string
    tag?: string
    platform?: string
    auth?: RegistryAuth
    signal: AbortSignal
  }): AsyncIterable<ProgressMessage>
  tag(reference: string, target: { repository: string; tag?: string }): Promise<void>
  remove(
    reference: string,
    options: { force: boolean; noPrune: boolean; platforms: readonly string[] },
  ): Promise<wire.ImageDeleteResponseItem[]>
  prune(filters: Filters): Promise<wire.ImagePruneResponse>
  /** What `prune` would delete now, remembered under an id. */
  planPrune(filters: Filters): Promise<wire.ImagePrunePlan>
  /** Deletes exactly that. Throws conflict, and deletes nothing, when it would come to something else by now. */
  applyPrunePlan(id: string): Promise<wire.ImagePrunePlan>
  search(query: {
    term: string
    limit?: number
    filters: Filters
    auth?: RegistryAuth
  }): Promise<wire.ImageSearchResponseItem[]>
  distribution(reference: string, auth?: RegistryAuth): Promise<wire.DistributionInspect>
  /** Beyond Docker: a manifest, or an index with what it names, as the registry has it. Throws notFound. */
  registryManifest(reference: string, options: RegistryAccess): Promise<wire.DistributionManifest>
  /** Beyond Docker: puts a manifest or index under the reference's tag or digest. Answers its digest. */
  pushManifest(
    reference: string,
    options: RegistryAccess & { manifest: wire.DistributionManifestPush },
  ): Promise<wire.DistributionManifestPushed>
  login(auth: RegistryAuth): Promise<{ Status: string; IdentityToken: string }>
}

export interface NetworkService {
  list(filters: Filters): Promise<wire.NetworkSummary[]>
  inspect(reference: string, query: { verbose: boolean; scope?: string }): Promise<wire.NetworkInspect>
  create(body: wire.NetworkCreateRequest): Promise<wire.NetworkCreateResponse>
  connect(reference: string, body: wire.NetworkConnectRequest): Promise<void>
  disconnect(reference: string, body: wire.NetworkDisconnectRequest): Promise<void>
  remove(reference: string): Promise<void>
  prune(filters: Filters): Promise<wire.NetworkPruneResponse>
}

export interface VolumeService {
  list(filters: Filters): Promise<wire.VolumeListResponse>
  create(body: wire.VolumeCreateRequest): Promise<wire.Volume>
  inspect(name: string): Promise<wire.Volume>
  remove(name: string, options: { force: boolean }): Promise<void>
  prune(filters: Filters): Promise<wire.VolumePruneResponse>
}
