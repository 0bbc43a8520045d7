/** What a tar says about one object; shared by reader and writer. */

export type TarType = 'file' | 'link' | 'symlink' | 'character-device' | 'block-device' | 'directory' | 'fifo'

export interface TarHeader {
  name: string
  type: TarType
  /** Target of `link` (a name in the archive) and `symlink`. */
  linkName: string
  /** Permission bits, 0–0o7777. */
  mode: number
  uid: number
  gid: number
  userName: string
  groupName: string
  /** Bytes of the file, holes included. */
  sizeBytes: number
  mtimeNs: bigint
  deviceMajor: number
  deviceMinor: number
  /** Extended attributes by name; values are raw bytes. */
  xattrs: ReadonlyMap<string, Buffer>
  /** The pieces that hold data, of a sparse file. */
  pieces?: readonly SparsePiece[]
}

export interface SparsePiece {
  offset: number
  size: number
}

export const blockBytes = 512
export const paddingOf = (size: number): number => (blockBytes - (size % blockBytes)) % blockBytes

/** Bytes that the archive stores for the entry. */
export function storedBytes(header: Pick<TarHeader, 'sizeBytes' | 'pieces'>): number {
  return header.pieces === undefined ? header.sizeBytes : header.pieces.reduce((sum, piece) => sum + piece.size, 0)
}

/** The archive is not a tar, or breaks a bound. */
export class TarError extends Error {
  override readonly name = 'TarError'
}

export const typeFlags: Readonly<Record<TarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
}
