/** Resolves the escapes of a JSON string where it stands: the result is never longer than the escaped text. */

const backslash = 0x5c
const simple = new Map<number, number>([
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
])
const letterU = 0x75
const replacement = 0xfffd

/**
 * `from` is the first backslash, `end` where the string ends. Writes UTF-8 into `bytes` itself and answers the new end,
 * or -1 for an escape that JSON does not know (the bytes are spoilt then).
 */
export function unescapeInPlace(bytes: Uint8Array, from: number, end: number): number {
  let write = from
  for (let read = from; read < end; ) {
    const byte = bytes[read] as number
    if (byte !== backslash) {
      bytes[write++] = byte
      read += 1
      continue
    }
    const kind = bytes[read + 1] as number
    const plain = simple.get(kind)
    if (plain !== undefined) {
      bytes[write++] = plain
      read += 2
      continue
    }
    const unit = kind === letterU ? hexUnit(bytes, read + 2, end) : -1
    if (unit < 0) return -1
    read += 6
    let codePoint = unit
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const low = lowSurrogate(bytes, read, end)
      codePoint = unit < 0xdc00 && low >= 0 ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : replacement
      if (codePoint !== replacement) read += 6
    }
    write = writeCodePoint(bytes, write, codePoint)
  }
  return write
}

function lowSurrogate(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== backslash || bytes[at + 1] !== letterU) return -1
  const unit = hexUnit(bytes, at + 2, end)
  return unit >= 0xdc00 && unit <= 0xdfff ? unit : -1
}

function hexUnit(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1
  let unit = 0
  for (let index = at; index < at + 4; index++) {
    const digit = hexDigit(bytes[index] as number)
    if (digit < 0) return -1
    unit = unit * 16 + digit
  }
  return unit
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function writeCodePoint(bytes: Uint8Array, at: number, codePoint: number): number {
  let write = at
  if (codePoint < 0x80) bytes[write++] = codePoint
  else if (codePoint < 0x800) {
    bytes[write++] = 0xc0 | (codePoint >> 6)
    bytes[write++] = 0x80 | (codePoint & 0x3f)
  } else if (codePoint < 0x10000) {
    bytes[write++] = 0xe0 | (codePoint >> 12)
    bytes[write++] = 0x80 | ((codePoint >> 6) & 0x3f)
    bytes[write++] = 0x80 | (codePoint & 0x3f)
  } else {
    bytes[write++] = 0xf0 | (codePoint >> 18)
    bytes[write++] = 0x80 | ((codePoint >> 12) & 0x3f)
    bytes[write++] = 0x80 | ((codePoint >> 6) & 0x3f)
    bytes[write++] = 0x80 | (codePoint & 0x3f)
  }
  return write
}
