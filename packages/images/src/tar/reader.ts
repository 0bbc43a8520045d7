/**
 * A streaming tar reader: entries come one after another with a body that is read on demand. PAX, GNU long names, all
 * forms of sparse files; every size is bounded before memory is taken for it.
 */
import { ByteSource } from './byte-source.ts'
import { blockBytes, paddingOf, storedBytes, TarError, type TarHeader, type TarType } from './entry.ts'
import { decodeHeader, type RawHeader } from './header.ts'
import { type PaxRecords, parsePax, paxNumber, paxTime } from './pax.ts'
import { readSparse, type SparseMap } from './sparse.ts'

export interface TarLimits {
  /** Of one PAX header or GNU long name. */
  extensionBytes: number
  nameBytes: number
  entries: number
  /** Of the whole archive. */
  totalBytes: number
}

export const defaultTarLimits: TarLimits = {
  extensionBytes: 1024 * 1024,
  nameBytes: 4096,
  entries: 1_000_000,
  totalBytes: Number.MAX_SAFE_INTEGER,
}

export interface TarEntry {
  header: TarHeader
  /** The stored bytes, once; what is left unread is passed over when the next entry is asked for. */
  body: AsyncIterable<Buffer>
}

/** Throws TarError for what is no tar or breaks a limit. Returns after the end of the archive; the rest is drained. */
export async function* readTar(
  source: AsyncIterable<Buffer>,
  limits: TarLimits = defaultTarLimits,
): AsyncGenerator<TarEntry, void, undefined> {
  const bytes = new ByteSource(countBytes(source, limits.totalBytes))
  try {
    for (let count = 0; ; count++) {
      const entry = await readEntry(bytes, limits)
      if (entry === undefined) break
      if (count >= limits.entries) throw new TarError(`archive has more than ${limits.entries} entries`)
      yield { header: entry.header, body: entry.body.read() }
      await entry.body.finish()
    }
    await bytes.drain()
  } finally {
    await bytes.close()
  }
}

async function* countBytes(source: AsyncIterable<Buffer>, limit: number): AsyncGenerator<Buffer> {
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    if (total > limit) throw new TarError(`archive exceeds ${limit} bytes`)
    yield chunk
  }
}

/** The data of one entry, and what of it has not been read yet. */
class Body {
  readonly #bytes: ByteSource
  #left: number
  readonly #padding: number

  constructor(bytes: ByteSource, size: number, padding: number) {
    this.#bytes = bytes
    this.#left = size
    this.#padding = padding
  }

  async *read(): AsyncGenerator<Buffer> {
    while (this.#left > 0) {
      const chunk = await this.#bytes.next(this.#left)
      if (chunk === undefined) throw new TarError('unexpected EOF')
      this.#left -= chunk.length
      yield chunk
    }
  }

  async finish(): Promise<void> {
    const left = this.#left
    this.#left = 0
    if (!(await this.#bytes.skip(left))) throw new TarError('unexpected EOF')
    // Padding that is cut off is no fault, as in Go's reader: the data are whole.
    await this.#bytes.skip(this.#padding)
  }
}

interface Extensions {
  pax: PaxRecords
  longName?: string
  longLink?: string
}

async function readEntry(bytes: ByteSource, limits: TarLimits): Promise<{ header: TarHeader; body: Body } | undefined> {
  const extensions: Extensions = { pax: [] }
  for (;;) {
    const block = await readHeaderBlock(bytes)
    if (block === undefined) return undefined
    const raw = block.raw
    switch (raw.typeFlag) {
      case 'x':
        extensions.pax = parsePax(await readExtension(bytes, raw.size, limits.extensionBytes))
        break
      case 'L':
        extensions.longName = untilNul(await readExtension(bytes, raw.size, limits.nameBytes))
        break
      case 'K':
        extensions.longLink = untilNul(await readExtension(bytes, raw.size, limits.nameBytes))
        break
      // Global headers and volume labels are read past, as Docker does.
      case 'g':
      case 'V':
        if (!(await bytes.skip(checkedSize(raw.size) + paddingOf(raw.size)))) throw new TarError('unexpected EOF')
        break
      default:
        return finishEntry({ bytes, raw, block: block.data, extensions, limits })
    }
  }
}

/** Undefined at the end: two blocks of zeros, or the end of input between entries. */
async function readHeaderBlock(bytes: ByteSource): Promise<{ raw: RawHeader; data: Buffer } | undefined> {
  for (let zeros = 0; zeros < 2; zeros++) {
    const data = await bytes.take(blockBytes)
    if (data.length === 0) return undefined
    if (data.length < blockBytes) throw new TarError('unexpected EOF')
    const raw = decodeHeader(data)
    if (raw === undefined) continue
    if (zeros > 0) throw new TarError('archive/tar: invalid tar header')
    return { raw, data }
  }
  return undefined
}

async function readExtension(bytes: ByteSource, size: number, limit: number): Promise<Buffer> {
  if (size < 0 || size > limit) throw new TarError('archive/tar: invalid tar header: extended header too large')
  const data = await bytes.take(size)
  if (data.length < size || !(await bytes.skip(paddingOf(size)))) throw new TarError('unexpected EOF')
  return Buffer.from(data)
}

function untilNul(data: Buffer): string {
  const end = data.indexOf(0)
  return data.toString('utf8', 0, end < 0 ? data.length : end)
}

function checkedSize(size: number): number {
  if (size < 0 || size > Number.MAX_SAFE_INTEGER - blockBytes) throw new TarError('archive/tar: invalid tar header')
  return size
}

async function finishEntry(request: {
  bytes: ByteSource
  raw: RawHeader
  block: Buffer
  extensions: Extensions
  limits: TarLimits
}): Promise<{ header: TarHeader; body: Body }> {
  const { bytes, raw, block, extensions, limits } = request
  const header = applyPax(fromRaw(raw, extensions), extensions.pax)
  // Of other types the size is only a remark, as in Go's reader.
  const stored = header.type === 'file' ? checkedSize(header.sizeBytes) : 0
  header.sizeBytes = stored
  const sparse =
    header.type === 'file' ? await readSparse({ bytes, block, raw, pax: extensions.pax, stored }) : undefined
  if (sparse !== undefined) applySparse(header, sparse)
  checkName(header.name, limits)
  checkName(header.linkName, limits)
  const consumed = sparse?.mapBytes ?? 0
  if (sparse !== undefined && storedBytes(header) !== stored - consumed) {
    throw new TarError('archive/tar: invalid tar header')
  }
  return { header, body: new Body(bytes, stored - consumed, paddingOf(stored)) }
}

function applySparse(header: TarHeader, sparse: SparseMap): void {
  header.pieces = sparse.pieces
  header.sizeBytes = sparse.sizeBytes
  if (sparse.name !== undefined) header.name = sparse.name
}

function checkName(name: string, limits: TarLimits): void {
  if (Buffer.byteLength(name) >= limits.nameBytes) throw new TarError('archive/tar: invalid tar header: path too long')
  if (name.includes('\0')) throw new TarError('archive/tar: invalid tar header')
}

const types: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
}

function fromRaw(raw: RawHeader, extensions: Extensions): TarHeader {
  const type = types[raw.typeFlag]
  if (type === undefined) throw new TarError(`unhandled tar header type ${raw.typeFlag.charCodeAt(0)}`)
  return {
    name: extensions.longName ?? raw.name,
    type,
    linkName: extensions.longLink ?? raw.linkName,
    mode: raw.mode,
    uid: raw.uid,
    gid: raw.gid,
    userName: raw.userName,
    groupName: raw.groupName,
    sizeBytes: raw.size,
    mtimeNs: BigInt(raw.mtimeSeconds) * 1_000_000_000n,
    deviceMajor: raw.deviceMajor,
    deviceMinor: raw.deviceMinor,
    xattrs: new Map(),
  }
}

const xattrPrefix = 'SCHILY.xattr.'

function applyPax(header: TarHeader, records: PaxRecords): TarHeader {
  const xattrs = new Map<string, Buffer>()
  for (const [key, value] of records) {
    if (key.startsWith(xattrPrefix)) xattrs.set(key.slice(xattrPrefix.length), value)
    // An empty value takes a record back.
    else if (value.length > 0) applyRecord(header, key, value)
  }
  header.xattrs = xattrs
  // V7's way to say directory; decided here, where the name is final.
  if (header.type === 'file' && header.name.endsWith('/')) header.type = 'directory'
  return header
}

function applyRecord(header: TarHeader, key: string, value: Buffer): void {
  switch (key) {
    case 'path':
      header.name = value.toString('utf8')
      break
    case 'linkpath':
      header.linkName = value.toString('utf8')
      break
    case 'size':
      header.sizeBytes = paxNumber(value)
      break
    case 'uid':
      header.uid = paxNumber(value)
      break
    case 'gid':
      header.gid = paxNumber(value)
      break
    case 'uname':
      header.userName = value.toString('utf8')
      break
    case 'gname':
      header.groupName = value.toString('utf8')
      break
    case 'mtime':
      header.mtimeNs = paxTime(value)
      break
  }
}
