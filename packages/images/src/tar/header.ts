/** The 512-byte header: V7, ustar, star and GNU fields, both ways. */
import { blockBytes, TarError } from './entry.ts'

export interface RawHeader {
  format: 'v7' | 'ustar' | 'star' | 'gnu'
  name: string
  typeFlag: string
  linkName: string
  mode: number
  uid: number
  gid: number
  userName: string
  groupName: string
  size: number
  mtimeSeconds: number
  deviceMajor: number
  deviceMinor: number
}

/** Undefined for a block of zeros. Throws TarError when the checksum or a field is wrong. */
export function decodeHeader(block: Buffer): RawHeader | undefined {
  if (isZeroBlock(block)) return undefined
  if (!checksumMatches(block)) throw new TarError('archive/tar: invalid tar header')
  const format = formatOf(block)
  const typeFlag = String.fromCharCode(block[156] ?? 0)
  const isDevice = format !== 'v7' && (typeFlag === '3' || typeFlag === '4')
  return {
    format,
    name: decodeName(block, format),
    typeFlag,
    linkName: decodeText(block, 157, 100),
    mode: decodeNumber(block, 100, 8) & 0o7777,
    uid: unsigned(decodeNumber(block, 108, 8)),
    gid: unsigned(decodeNumber(block, 116, 8)),
    userName: format === 'v7' ? '' : decodeText(block, 265, 32),
    groupName: format === 'v7' ? '' : decodeText(block, 297, 32),
    size: decodeNumber(block, 124, 12),
    mtimeSeconds: decodeNumber(block, 136, 12),
    deviceMajor: isDevice ? unsigned(decodeNumber(block, 329, 8)) : 0,
    deviceMinor: isDevice ? unsigned(decodeNumber(block, 337, 8)) : 0,
  }
}

function isZeroBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0)
}

function formatOf(block: Buffer): RawHeader['format'] {
  const magic = block.toString('latin1', 257, 263)
  if (magic === 'ustar ') return 'gnu'
  if (!magic.startsWith('ustar')) return 'v7'
  return block.toString('latin1', 508, 511) === 'tar' ? 'star' : 'ustar'
}

function decodeName(block: Buffer, format: RawHeader['format']): string {
  const name = decodeText(block, 0, 100)
  const prefix = format === 'ustar' ? decodeText(block, 345, 155) : format === 'star' ? decodeText(block, 345, 131) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

function decodeText(block: Buffer, offset: number, size: number): string {
  const end = block.indexOf(0, offset)
  return block.toString('utf8', offset, end < 0 || end > offset + size ? offset + size : end)
}

function unsigned(value: number): number {
  if (value < 0) throw new TarError('archive/tar: invalid tar header')
  return value
}

/** Octal text, or base-256 when the first bit is set (negative too). */
export function decodeNumber(block: Buffer, offset: number, size: number): number {
  const first = block[offset] ?? 0
  if ((first & 0x80) !== 0) return decodeBase256(block, offset, size)
  const text = block.toString('latin1', offset, offset + size).replace(/^[ \0]+/, '')
  const digits = /^[0-7]*/.exec(text)?.[0] ?? ''
  if (!/^[0-7]*(?:$|\0|[ \0]+$)/.test(text)) throw new TarError('archive/tar: invalid tar header')
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

function decodeBase256(block: Buffer, offset: number, size: number): number {
  const negative = ((block[offset] ?? 0) & 0x40) !== 0
  let value = negative ? -1n : 0n
  for (let i = 0; i < size; i++) {
    const byte = block[offset + i] ?? 0
    value = (value << 8n) | BigInt(i === 0 ? (negative ? byte | 0x80 : byte & 0x7f) : byte)
  }
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new TarError('archive/tar: invalid tar header')
  return number
}

function checksumMatches(block: Buffer): boolean {
  const expected = decodeNumber(block, 148, 8)
  let plain = 0
  // Historic tars summed signed bytes.
  let signed = 0
  for (let i = 0; i < blockBytes; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0)
    plain += byte
    signed += byte < 128 ? byte : byte - 256
  }
  return expected === plain || expected === signed
}

export interface HeaderFields extends Omit<RawHeader, 'format' | 'name' | 'linkName'> {
  /** At most 100 bytes. */
  name: Buffer
  /** At most 155 bytes; '' for none. */
  prefix: Buffer
  linkName: Buffer
}

/** Numbers that do not fit are written as 0: the caller puts them into a PAX record. */
export function encodeHeader(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(blockBytes)
  fields.name.copy(block, 0, 0, 100)
  encodeOctal(block, 100, 8, fields.mode)
  encodeOctal(block, 108, 8, fields.uid)
  encodeOctal(block, 116, 8, fields.gid)
  encodeOctal(block, 124, 12, fields.size)
  encodeOctal(block, 136, 12, fields.mtimeSeconds)
  block.write(fields.typeFlag, 156, 'latin1')
  fields.linkName.copy(block, 157, 0, 100)
  block.write('ustar\0' + '00', 257, 'latin1')
  Buffer.from(fields.userName).copy(block, 265, 0, 31)
  Buffer.from(fields.groupName).copy(block, 297, 0, 31)
  encodeOctal(block, 329, 8, fields.deviceMajor)
  encodeOctal(block, 337, 8, fields.deviceMinor)
  fields.prefix.copy(block, 345, 0, 155)
  block.fill(0x20, 148, 156)
  let sum = 0
  for (const byte of block) sum += byte
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** True when the number can be written in `size` bytes of octal, with its closing NUL. */
export function fitsOctal(value: number, size: number): boolean {
  return value >= 0 && value < 8 ** (size - 1)
}

function encodeOctal(block: Buffer, offset: number, size: number, value: number): void {
  const digits = (fitsOctal(value, size) ? value : 0).toString(8).padStart(size - 1, '0')
  block.write(`${digits}\0`, offset, 'latin1')
}
