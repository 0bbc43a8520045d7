/** Root filesystems, volumes and log files of containers, on the host's disks. */
import type { Readable } from 'node:stream'

/** The ids of its files are those that a container with a user namespace is to see; the same for every use of a container. */
export interface MountIds {
  idMapped?: boolean
}

export interface RootFilesystems {
  /** Makes the container's writable layer (upper and work directories) over the image's layers. */
  create(containerId: string, layers: { layersRoot: string; directories: readonly string[] }): Promise<void>
  /**
   * Makes a directory and its parents (0755, of root) in the root filesystem of a container that was never started, and
   * answers whether it was there already. Links lead nowhere out of it. Throws internal
   * `Cannot mkdir: x is not a directory`.
   */
  makeDirectory(containerId: string, directory: string, ids?: MountIds): Promise<'made' | 'existed'>
  /** Mounts it (idempotent) and answers the path. */
  mount(containerId: string, ids?: MountIds): Promise<string>
  /**
   * Mounts an image read-only for the container, beside its root filesystem; answers the path. Idempotent. Throws notFound
   * when there is nothing at the subpath. What is mounted for the run ends with `unmount`, everything with `remove`.
   */
  mountImage(containerId: string, image: ImageMount): Promise<string>
  /** Where `mountImage` mounts it. */
  imageMountPoint(containerId: string, image: Omit<ImageMount, 'layers'>): string
  unmountImages(containerId: string, user: string): Promise<void>
  /** What `use` still needs stays until that has ended. */
  unmount(containerId: string): Promise<void>
  /**
   * Runs `work` with it mounted, whether the container runs or not; the last use unmounts it unless the container runs
   * by then.
   */
  use<T>(containerId: string, work: (root: string) => Promise<T>, ids?: MountIds): Promise<T>
  /** Host path of the writable layer, in overlayfs's own form (whiteouts are devices). */
  upperDirectory(containerId: string): string
  /** Unmounts and deletes; already gone counts as done. */
  remove(containerId: string): Promise<void>
  /** Where its parts are, in overlay2's words (`GraphDriver.Data` of inspect): LowerDir, UpperDir, WorkDir, MergedDir. */
  describe(containerId: string): Promise<Readonly<Record<string, string>>>
  /** Bytes of the writable layer. */
  writableSizeBytes(containerId: string): Promise<number>
  changes(containerId: string, ids?: MountIds): Promise<{ path: string; kind: 'modified' | 'added' | 'deleted' }[]>
  /**
   * For reconcile: `unknown` ids of which something exists on disk or is mounted, and the known ones that are `mounted`.
   * What is known and not mounted costs nothing, however many those are.
   */
  existing(isKnown: (containerId: string) => boolean): Promise<{ unknown: string[]; mounted: string[] }>
}

export interface ImageMount extends MountIds {
  /** Whose mount it is: of the container's run (`imageUserOfRun`), or of something that lasts shorter. */
  user: string
  destination: string
  layers: { layersRoot: string; directories: readonly string[] }
  /** Only what lies there in the image; relative. */
  subpath?: string
}

export interface VolumeRow {
  name: string
  driver: string
  createdAtNs: string
  labels: Record<string, string>
  options: Record<string, string>
  anonymous: boolean
}

/** Rows of volumes; implemented by the store. */
export interface VolumeRecords {
  putVolume(volume: VolumeRow): void
  getVolume(name: string): VolumeRow | undefined
  listVolumes(): VolumeRow[]
  deleteVolume(name: string): void
}

/**
 * Volumes of the driver `local`. A volume with options (type, device, o) is mounted while containers use it; one without
 * is a directory.
 */
export interface Volumes {
  /** What exists is answered as it is. No name: an anonymous one is made up and labelled. Errors in Docker's words. */
  create(request: {
    name?: string
    driver?: string
    labels?: Record<string, string>
    options?: Record<string, string>
  }): Promise<VolumeRow>
  /** Throws notFound `get x: no such volume`. */
  get(name: string): VolumeRow
  list(): VolumeRow[]
  /** Deletes the volume and its data. The caller has checked that it is not in use. */
  remove(name: string): Promise<void>
  mountpoint(name: string): string
  /**
   * Answers the path to bind, mounted if the volume has type/device/o options. With `subpath` (relative) that place in
   * the volume, resolved without ever leaving it; throws notFound when it does not exist.
   */
  mount(name: string, containerId: string, subpath?: string): Promise<string>
  /** Ends all uses of the volume by the container; idempotent. */
  unmount(name: string, containerId: string): Promise<void>
  /**
   * First use of an empty volume, or of an empty directory in it: copies what the image has at `destination`, owner and
   * mode of the mount point too. A subpath that is not there is left to the start to refuse.
   */
  copyUp(name: string, content: { rootFilesystem: string; destination: string; subpath?: string }): Promise<void>
  /** Lengths of its files, hard-linked ones once; -1 when that cannot be known (options, for example NFS). */
  sizeBytes(name: string): Promise<number>
}

export interface LogRecord {
  stream: 'stdout' | 'stderr'
  timeNs: bigint
  line: Buffer
  attributes?: Readonly<Record<string, string>>
}

export interface LogQuery {
  path: string
  stdout: boolean
  stderr: boolean
  sinceNs?: bigint
  untilNs?: bigint
  /** Last n lines; undefined is all. */
  tail?: number
  follow: boolean
  /** Aborted when the container has stopped and the rest should be delivered, then the stream ends. */
  ended?: AbortSignal
  /** Aborted when the client left. */
  signal?: AbortSignal
}

export interface LogFormat {
  /** An eight-byte frame before each record; false for containers with a terminal. */
  multiplexed: boolean
  /** RFC 3339 with nine digits and a blank before the text. */
  timestamps: boolean
  /** The record's attributes before the text: `k=v,k=v `, sorted and query-escaped. */
  details: boolean
}

/** Records in order, and how to say that they need not be given again. */
export interface LogBatch {
  records: readonly LogRecord[]
  /** Remembers, over restarts of the daemon too, that everything up to here was delivered. */
  delivered(): Promise<void>
}

export interface Logs {
  /** In order, bounded memory, over rotated files (plain and .gz) too. */
  read(query: LogQuery): AsyncIterable<LogRecord>
  /** The same as the bytes that clients get, many records in one chunk: several times faster than record by record. */
  chunks(query: LogQuery, format: LogFormat): AsyncIterable<Buffer>
  /**
   * What was not yet delivered, from the oldest on, and then what is written, until `ended` was aborted and everything
   * was given. Records that were rotated away before their turn are lost.
   */
  undelivered(query: { path: string; ended: AbortSignal; signal: AbortSignal }): AsyncIterable<LogBatch>
  remove(path: string): Promise<void>
}

export type TarStream = Readable
