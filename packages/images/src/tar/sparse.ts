/** Sparse files in tars: old GNU headers, and GNU's PAX forms 0.0, 0.1 and 1.0. */
import type { ByteSource } from './byte-source.ts'
import { blockBytes, type SparsePiece, TarError, type TarHeader } from './entry.ts'
import { decodeNumber, type RawHeader } from './header.ts'
import { type PaxRecords, paxNumber } from './pax.ts'

export interface SparseMap {
  pieces: SparsePiece[]
  /** Of the file, holes included. */
  sizeBytes: number
  /** Bytes of the entry's data that the map itself took. */
  mapBytes: number
  name?: string
}

const maxPieces = 1_000_000
const prefix = 'GNU.sparse.'

/** Undefined for an ordinary file. */
export async function readSparse(request: {
  bytes: ByteSource
  block: Buffer
  raw: RawHeader
  pax: PaxRecords
  stored: number
}): Promise<SparseMap | undefined> {
  const { bytes, block, raw, pax, stored } = request
  if (raw.typeFlag === 'S') return checked(await readOldGnu(bytes, block))
  const records = new Map(
    pax.filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
  )
  if (records.size === 0) return undefined
  const sizeValue = records.get('realsize') ?? records.get('size')
  const sizeBytes = sizeValue === undefined ? 0 : paxNumber(sizeValue)
  const nameValue = records.get('name')
  const name = nameValue === undefined ? {} : { name: nameValue.toString('utf8') }
  if (records.get('major')?.toString() === '1' && records.get('minor')?.toString() === '0') {
    return checked({ ...(await readDataMap(bytes, stored)), sizeBytes, ...name })
  }
  const map = records.get('map')
  if (map !== undefined) return checked({ pieces: parseMapText(map), sizeBytes, mapBytes: 0, ...name })
  if (!records.has('offset')) return undefined
  return checked({ pieces: piecesFromRecords(pax), sizeBytes, mapBytes: 0, ...name })
}

async function readOldGnu(bytes: ByteSource, header: Buffer): Promise<SparseMap> {
  const pieces: SparsePiece[] = []
  addOldPieces(pieces, header, 386, 4)
  let extended = header[482] !== 0
  while (extended) {
    const block = await takeBlock(bytes)
    addOldPieces(pieces, block, 0, 21)
    extended = block[504] !== 0
  }
  return { pieces, sizeBytes: decodeNumber(header, 483, 12), mapBytes: 0 }
}

function addOldPieces(pieces: SparsePiece[], block: Buffer, offset: number, count: number): void {
  for (let at = offset; at < offset + count * 24; at += 24) {
    if (block[at] === 0 && block[at + 12] === 0) return
    if (pieces.length === maxPieces) throw new TarError('archive/tar: invalid tar header: too many sparse pieces')
    pieces.push({ offset: decodeNumber(block, at, 12), size: decodeNumber(block, at + 12, 12) })
  }
}

async function takeBlock(bytes: ByteSource): Promise<Buffer> {
  const block = await bytes.take(blockBytes)
  if (block.length < blockBytes) throw new TarError('unexpected EOF')
  return block
}

/** 1.0: decimal lines at the start of the data, padded to whole blocks. */
async function readDataMap(bytes: ByteSource, stored: number): Promise<{ pieces: SparsePiece[]; mapBytes: number }> {
  const numbers: number[] = []
  let text = ''
  let mapBytes = 0
  const wanted = () => 1 + 2 * (numbers[0] ?? 0)
  while (numbers.length < wanted()) {
    if (stored - mapBytes < blockBytes)
      throw new TarError('archive/tar: invalid tar header: sparse map exceeds its file')
    text += (await takeBlock(bytes)).toString('latin1')
    mapBytes += blockBytes
    for (let end = text.indexOf('\n'); end >= 0 && numbers.length < wanted(); end = text.indexOf('\n')) {
      numbers.push(paxNumber(Buffer.from(text.slice(0, end))))
      text = text.slice(end + 1)
      if ((numbers[0] ?? 0) > maxPieces) throw new TarError('archive/tar: invalid tar header: too many sparse pieces')
    }
    if (numbers.length < wanted() && text.length > 24) throw new TarError('archive/tar: invalid tar header')
  }
  return { pieces: toPieces(numbers.slice(1)), mapBytes }
}

function parseMapText(map: Buffer): SparsePiece[] {
  const text = map.toString('latin1')
  return text === '' ? [] : toPieces(text.split(',').map((part) => paxNumber(Buffer.from(part))))
}

function toPieces(numbers: number[]): SparsePiece[] {
  if (numbers.length % 2 !== 0) throw new TarError('archive/tar: invalid tar header')
  const pieces: SparsePiece[] = []
  for (let i = 0; i < numbers.length; i += 2) pieces.push({ offset: numbers[i] ?? 0, size: numbers[i + 1] ?? 0 })
  return pieces
}

/** 0.0: each piece is two records, in order. */
function piecesFromRecords(pax: PaxRecords): SparsePiece[] {
  const keys = [`${prefix}offset`, `${prefix}numbytes`]
  const records = pax.filter(([key]) => keys.includes(key))
  if (!records.every(([key], index) => key === keys[index % 2])) throw new TarError('archive/tar: invalid tar header')
  return toPieces(records.map(([, value]) => paxNumber(value)))
}

function checked(map: SparseMap): SparseMap {
  let end = 0
  for (const { offset, size } of map.pieces) {
    if (offset < end || size < 0 || offset + size > map.sizeBytes) throw new TarError('archive/tar: invalid tar header')
    end = offset + size
  }
  return map
}

const zeros = Buffer.alloc(64 * 1024)

/** The file as it is read: the holes of a sparse one filled with zeros. */
export async function* fileContent(header: TarHeader, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (header.pieces === undefined) return yield* body
  let at = 0
  let index = 0
  let inPiece = 0
  for await (let chunk of body) {
    while (chunk.length > 0) {
      const piece = header.pieces[index]
      if (piece === undefined) return
      yield* hole(piece.offset + inPiece - at)
      const part = chunk.subarray(0, piece.size - inPiece)
      if (part.length > 0) yield part
      chunk = chunk.subarray(part.length)
      inPiece += part.length
      at = piece.offset + inPiece
      if (inPiece === piece.size) [index, inPiece] = [index + 1, 0]
    }
  }
  yield* hole(header.sizeBytes - at)
}

function* hole(size: number): Generator<Buffer> {
  for (let left = size; left > 0; left -= zeros.length) yield left < zeros.length ? zeros.subarray(0, left) : zeros
}
