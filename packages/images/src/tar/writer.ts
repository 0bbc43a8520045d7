/** Writes tars: ustar headers, with a PAX header before an entry where ustar does not suffice. */
import { blockBytes, paddingOf, storedBytes, type TarHeader, typeFlags } from './entry.ts'
import { encodeHeader, fitsOctal } from './header.ts'
import { formatPax, formatPaxTime, type PaxRecords } from './pax.ts'

export type NewEntry = Pick<TarHeader, 'name' | 'type'> & Partial<TarHeader>

const empty: Omit<TarHeader, 'name' | 'type' | 'pieces'> = {
  linkName: '',
  mode: 0o644,
  uid: 0,
  gid: 0,
  userName: '',
  groupName: '',
  sizeBytes: 0,
  mtimeNs: 0n,
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
}

/** Two blocks of zeros. */
export const tarEnd = Buffer.alloc(2 * blockBytes)
export const tarPadding = (size: number): Buffer => tarEnd.subarray(0, paddingOf(size))

/**
 * The blocks before the entry's data. The caller writes `storedBytes(entry)` of data and `tarPadding` after them; for a
 * sparse entry `mapBlocks` are part of what is returned and counted in the header.
 */
export function encodeEntry(entry: NewEntry): Buffer {
  const header: TarHeader = { ...empty, ...entry }
  const pax: PaxRecords = []
  const note = (key: string, value: string) => pax.push([key, Buffer.from(value)])
  const map = header.pieces === undefined ? undefined : sparseMap(header)
  if (map !== undefined) {
    note('GNU.sparse.major', '1')
    note('GNU.sparse.minor', '0')
    note('GNU.sparse.name', header.name)
    note('GNU.sparse.realsize', String(header.sizeBytes))
  }
  const size = header.type === 'file' ? storedBytes(header) + (map?.length ?? 0) : 0
  const name = fitName(header, note)
  const linkName = Buffer.from(header.linkName)
  if (linkName.length > 100) note('linkpath', header.linkName)
  if (Buffer.byteLength(header.userName) > 31) note('uname', header.userName)
  if (Buffer.byteLength(header.groupName) > 31) note('gname', header.groupName)
  if (!fitsOctal(header.uid, 8)) note('uid', String(header.uid))
  if (!fitsOctal(header.gid, 8)) note('gid', String(header.gid))
  if (!fitsOctal(size, 12)) note('size', String(size))
  const mtimeSeconds = Number(header.mtimeNs / 1_000_000_000n)
  if (header.mtimeNs % 1_000_000_000n !== 0n || !fitsOctal(mtimeSeconds, 12))
    note('mtime', formatPaxTime(header.mtimeNs))
  for (const [key, value] of header.xattrs) pax.push([`SCHILY.xattr.${key}`, value])
  const block = encodeHeader({ ...header, ...name, linkName, size, mtimeSeconds, typeFlag: typeFlags[header.type] })
  return Buffer.concat([...(pax.length > 0 ? [paxEntry(formatPax(pax))] : []), block, ...(map ? [map] : [])])
}

/** Into the name field, or split over the prefix at a slash, or into PAX with the field cut. */
function fitName(header: TarHeader, note: (key: string, value: string) => void): { name: Buffer; prefix: Buffer } {
  const none = Buffer.alloc(0)
  const text = header.type === 'directory' && !header.name.endsWith('/') ? `${header.name}/` : header.name
  const bytes = Buffer.from(text)
  if (bytes.length <= 100) return { name: bytes, prefix: none }
  const cut = bytes.indexOf(0x2f, bytes.length - 101)
  if (cut > 0 && cut <= 155 && cut < bytes.length - 1) {
    return { name: bytes.subarray(cut + 1), prefix: bytes.subarray(0, cut) }
  }
  if (header.pieces === undefined) note('path', text)
  return { name: bytes.subarray(0, 100), prefix: none }
}

function paxEntry(data: Buffer): Buffer {
  const block = encodeHeader({
    name: Buffer.from('PaxHeaders.0/entry'),
    prefix: Buffer.alloc(0),
    linkName: Buffer.alloc(0),
    typeFlag: 'x',
    mode: 0o644,
    uid: 0,
    gid: 0,
    userName: '',
    groupName: '',
    size: data.length,
    mtimeSeconds: 0,
    deviceMajor: 0,
    deviceMinor: 0,
  })
  return Buffer.concat([block, data, tarPadding(data.length)])
}

/** GNU's PAX form 1.0: the count and the pieces as decimal lines, padded to whole blocks. */
function sparseMap(header: TarHeader): Buffer {
  const pieces = header.pieces ?? []
  const lines = [pieces.length, ...pieces.flatMap(({ offset, size }) => [offset, size])]
  const text = Buffer.from(`${lines.join('\n')}\n`)
  return Buffer.concat([text, tarPadding(text.length)])
}

/** A whole archive. Each body must give exactly the entry's stored bytes; anything else throws. */
export async function* writeTar(
  entries: AsyncIterable<{ entry: NewEntry; body?: AsyncIterable<Buffer> | Iterable<Buffer> }>,
): AsyncGenerator<Buffer> {
  for await (const { entry, body } of entries) {
    yield encodeEntry(entry)
    const size = entry.type === 'file' ? storedBytes({ sizeBytes: 0, ...entry }) : 0
    let written = 0
    for await (const chunk of body ?? []) {
      written += chunk.length
      if (written > size) break
      yield chunk
    }
    if (written !== size) throw new Error(`${entry.name} gave ${written} bytes where its header says ${size}`)
    yield tarPadding(size)
  }
  yield tarEnd
}
