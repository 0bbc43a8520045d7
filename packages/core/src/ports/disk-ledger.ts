/** Who owns what below the data root, so that what is there and what should be there can be compared. */

export interface DiskClaim {
  /** Relative to the data root. */
  path: string
  /** E.g. `layer`; claims of one kind are added up. */
  kind: string
  /** Id or name of the owner; '' where the kind says it all. */
  ownerId: string
  /** `tree`: with all that is in it, or one file. `directory`: only itself; what is in it needs claims of its own. */
  extent: 'tree' | 'directory'
  /** False for what comes and goes: its absence is no fault. */
  required: boolean
  /** Of a file whose length is known. */
  sizeBytes?: number
}

export interface DiskOwner {
  /** Synchronous, and true at this very moment: work under way claims its files before it makes them. */
  claims(): DiskClaim[]
}

export interface MeasuredTree {
  /** Everything but directories. */
  files: number
  /** Lengths of files, each hard-linked one once. */
  sizeBytes: number
  /** What the file system has allocated, directories included. */
  diskBytes: number
}

export interface DataRoot extends DiskOwner {
  names(directory: string): Promise<string[]>
  /** Stays on the data root's file system. Files with several names are counted once for all calls with the same `seen`. */
  measure(path: string, seen: Set<string>): Promise<MeasuredTree>
  /** Synchronous. undefined: there is nothing. '' is the data root itself. */
  look(path: string): { isDirectory: boolean; sizeBytes: number; diskBytes: number } | undefined
  /** Moves it out of the way before the first await, then deletes it. */
  remove(path: string): Promise<void>
}

export interface StoreProblem {
  kind: 'missing' | 'damaged' | 'unused' | 'inconsistent'
  /** `blob`, `layer`, `image reference`, `image` */
  owner: string
  ownerId: string
  sizeBytes: number
  detail: string
}

export interface ImageLedger extends DiskOwner {
  /** What rows say that contradicts other rows, or that nothing needs. `verify` reads every blob again. */
  problems(query: { verify: boolean }): Promise<StoreProblem[]>
  /** Rows without their files are dropped, layers unpacked again where their blobs are here, the unused is deleted. */
  repair(lost: { blobDigests: readonly string[]; chainIds: readonly string[] }): Promise<void>
}
