/** Tar headers, as much as copying files needs: ustar with PAX records on writing, GNU long names too on reading. */

export const BLOCK_BYTES = 512

export type EntryType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo'

export interface TarEntry {
  name: string
  type: EntryType
  /** Permission bits with setuid, setgid and sticky. */
  mode: number
  uid: number
  gid: number
  sizeBytes: number
  mtimeSeconds: number
  linkName: string
  deviceMajor: number
  deviceMinor: number
}

const TYPE_FLAGS: Record<EntryType, string> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}
const TYPES = new Map<string, EntryType>([
  ...Object.entries(TYPE_FLAGS).map(([type, flag]): [string, EntryType] => [flag, type as EntryType]),
  ['\0', 'file'],
  ['7', 'file'],
])
const MAX_OCTAL_SIZE = 0o77777777777
const MAX_OCTAL_ID = 0o7777777
const MAX_META_BYTES = 1024 * 1024

export function encodeHeader(entry: TarEntry): Buffer {
  const records: Record<string, string> = {}
  if (Buffer.byteLength(entry.name) > 100 || /[^\x20-\x7e]/.test(entry.name)) records.path = entry.name
  if (Buffer.byteLength(entry.linkName) > 100 || /[^\x20-\x7e]/.test(entry.linkName)) records.linkpath = entry.linkName
  if (entry.sizeBytes > MAX_OCTAL_SIZE) records.size = String(entry.sizeBytes)
  if (entry.uid > MAX_OCTAL_ID) records.uid = String(entry.uid)
  if (entry.gid > MAX_OCTAL_ID) records.gid = String(entry.gid)
  const main = encodeBlock(entry, TYPE_FLAGS[entry.type])
  if (Object.keys(records).length === 0) return main
  const body = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)))
  const head = encodeBlock(
    { ...entry, name: 'PaxHeaders.0/entry', linkName: '', mode: 0o644, uid: 0, gid: 0, sizeBytes: body.length },
    'x',
  )
  return Buffer.concat([head, body, padding(body.length), main])
}

export const padding = (size: number): Buffer => Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES)

function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`)
  let length = rest.length + 1
  // The length counts its own digits.
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function encodeBlock(entry: TarEntry, flag: string): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, offset: number, width: number) =>
    block.write(
      `${Math.trunc(value)
        .toString(8)
        .padStart(width - 1, '0')}\0`,
      offset,
      'latin1',
    )
  Buffer.from(entry.name).copy(block, 0, 0, 100)
  octal(entry.mode & 0o7777, 100, 8)
  octal(Math.min(entry.uid, MAX_OCTAL_ID), 108, 8)
  octal(Math.min(entry.gid, MAX_OCTAL_ID), 116, 8)
  octal(Math.min(entry.sizeBytes, MAX_OCTAL_SIZE), 124, 12)
  octal(Math.max(0, entry.mtimeSeconds), 136, 12)
  block.write('        ', 148, 'latin1')
  block.write(flag, 156, 'latin1')
  Buffer.from(entry.linkName).copy(block, 157, 0, 100)
  block.write('ustar\x0000', 257, 'latin1')
  octal(entry.deviceMajor, 329, 8)
  octal(entry.deviceMinor, 337, 8)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

export interface Extensions {
  pax: Record<string, string>
  longName: string | undefined
  longLink: string | undefined
}

export type RawHeader =
  | { kind: 'entry'; entry: TarEntry }
  | { kind: 'pax' | 'global' | 'longName' | 'longLink'; sizeBytes: number }

/** Undefined for the block of zeros that ends an archive. Throws when the checksum is wrong. */
export function decodeHeader(block: Buffer, extensions: Extensions): RawHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined
  checkSum(block)
  const flag = block.toString('latin1', 156, 157)
  const sizeBytes = number(block, 124, 12)
  const meta = { x: 'pax', g: 'global', L: 'longName', K: 'longLink' } as const
  if (flag in meta) {
    if (sizeBytes > MAX_META_BYTES) throw new Error('archive/tar: header field too long')
    return { kind: meta[flag as keyof typeof meta], sizeBytes }
  }
  const type = TYPES.get(flag)
  if (!type) throw new Error(`unhandled tar header type ${flag.charCodeAt(0)}`)
  const { pax } = extensions
  const ustar = block.toString('latin1', 257, 262) === 'ustar' && block[262] === 0
  const prefix = ustar ? text(block, 345, 155) : ''
  const short = text(block, 0, 100)
  const decimal = (key: string, fallback: number) => (pax[key] === undefined ? fallback : Number(pax[key]))
  const entry: TarEntry = {
    name: pax.path ?? extensions.longName ?? (prefix === '' ? short : `${prefix}/${short}`),
    type,
    mode: number(block, 100, 8) & 0o7777,
    uid: decimal('uid', number(block, 108, 8)),
    gid: decimal('gid', number(block, 116, 8)),
    sizeBytes: type === 'file' ? decimal('size', sizeBytes) : 0,
    mtimeSeconds: decimal('mtime', number(block, 136, 12)),
    linkName: pax.linkpath ?? extensions.longLink ?? text(block, 157, 100),
    deviceMajor: number(block, 329, 8),
    deviceMinor: number(block, 337, 8),
  }
  return { kind: 'entry', entry }
}

function checkSum(block: Buffer): void {
  const stored = number(block, 148, 8)
  let sum = 0
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 32 : byte
  if (sum !== stored) throw new Error('archive/tar: invalid tar header')
}

function text(block: Buffer, offset: number, width: number): string {
  const field = block.subarray(offset, offset + width)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? width : end)
}

/** Octal, or base 256 when the first bit says so. */
function number(block: Buffer, offset: number, width: number): number {
  const field = block.subarray(offset, offset + width)
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = (field[0] ?? 0) & 0x7f
    for (const byte of field.subarray(1)) value = value * 256 + byte
    return value
  }
  const digits = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trim()
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

export function parsePax(body: Buffer): Record<string, string> {
  const records: Record<string, string> = {}
  for (let offset = 0; offset < body.length; ) {
    const space = body.indexOf(32, offset)
    const length = Number(body.toString('latin1', offset, space))
    if (space < 0 || !Number.isInteger(length) || length <= space - offset || offset + length > body.length)
      throw new Error('archive/tar: invalid tar header')
    const record = body.toString('utf8', space + 1, offset + length - 1)
    const equals = record.indexOf('=')
    records[record.slice(0, equals)] = record.slice(equals + 1)
    offset += length
  }
  return records
}
