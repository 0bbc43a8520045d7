/** Files of containers as tar streams, read and written inside the container's own view of its file system. */
import type { Readable } from 'node:stream'

/** What a container sees: its mounted root filesystem with its volumes and binds. */
export interface FileView {
  /** Host path of the mounted root filesystem. */
  root: string
  /** Parents before what is mounted in them. */
  mounts: readonly ViewMount[]
  readOnlyRoot: boolean
  /** Files are seen with the ids that a user namespace with this map sees. */
  idMap?: string
}

export interface ViewMount {
  /** Host path. */
  source: string
  /** Absolute in the container; made when it is missing. */
  destination: string
  writable: boolean
  nonRecursive?: boolean
  /** Read-only, but not what is mounted below it. */
  readOnlyTopOnly?: boolean
}

export interface FileStat {
  sizeBytes: number
  /** `st_mode`, type bits included. */
  mode: number
  /** Unix nanoseconds as decimal digits. */
  mtimeNs: string
  /** Of a link: where it leads in the end, absolute in the container, also when nothing is there; '' otherwise. */
  linkTarget: string
}

/** What went wrong, apart from a tar that is damaged and a machine that fails: the caller words it. */
export type ArchiveProblem = 'no such file' | 'not a directory'

export interface ContainerArchives {
  /** Answers a problem, throws the rest. Links are followed except the last one. */
  stat(view: FileView, path: string): Promise<FileStat | ArchiveProblem>
  /** The tar of a file, or of a directory under the name `prefix`, which ends in a slash. Whoever reads it closes it. */
  read(view: FileView, path: string, prefix: string): Promise<{ stat: FileStat; tar: Readable } | ArchiveProblem>
  /** Unpacks a tar, compressed or not, into a directory. */
  write(view: FileView, request: WriteRequest): Promise<ArchiveProblem | undefined>
  /** The tree below a host directory, what is mounted in it left out; `asLayer`: overlayfs's whiteouts as a layer has them. */
  pack(directory: string, options: { asLayer: boolean; idMap?: string }): Readable
}

/** The bytes of a client's archive. A connection that carries only them may be read by somebody else for a while. */
export interface ArchiveSource extends AsyncIterable<Buffer> {
  /** Undefined where it can't be lent, or `takes` refuses what has arrived of it: then it is read as usual. */
  lend?(takes: (head: Buffer) => boolean): Promise<LentConnection | undefined>
}

export interface LentConnection {
  /** What had arrived; the rest follows on the descriptor. */
  readonly head: Buffer
  /** Non-blocking, and not to be read beyond `leftBytes`: other requests follow. */
  readonly descriptor: number
  readonly leftBytes: number
  /** Aborts when the connection is closed on this side. */
  readonly closed: AbortSignal
  /** Has to be called. How many bytes of the descriptor were read; undefined, where nobody knows, closes the connection. */
  giveBack(readBytes: number | undefined): void
}

export interface WriteRequest {
  /** Absolute in the container; a link to a directory is followed. */
  path: string
  tar: ArchiveSource
  /** A directory does not replace a file, nor the reverse. */
  keepKinds: boolean
  /** Owner of everything that is unpacked, instead of the archive's. */
  owner?: { uid: number; gid: number }
}
