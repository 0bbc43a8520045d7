/**
 * Reads lines of Docker's json-file format:
 *
 *     {"log":"text\n","stream":"stdout","attrs":{"k":"v"},"time":"2026-11-24T09:24:51.134412289Z"}
 *
 * The common form is read by looking at bytes, with the text left where it is; anything else that is valid JSON goes
 * the slow way with the same result. One object is filled again and again: nothing is allocated per line.
 */
import { unescapeInPlace } from './json-escapes.ts'

const quote = 0x22
const backslash = 0x5c
const newline = 0x0a
const prefix = Buffer.from('{"log":"')
const streamKey = Buffer.from('","stream":"std')
const outTail = Buffer.from('out"')
const errTail = Buffer.from('err"')
const attrsKey = Buffer.from(',"attrs":')
const timeKey = Buffer.from(',"time":"')
const lineEnd = Buffer.from('"}\n')
const secondsLength = '2026-11-24T09:24:51'.length

export class JsonLineReader {
  /** The text of the last line that was read. */
  text: Buffer = Buffer.alloc(0)
  textStart = 0
  textEnd = 0
  isStdout = true
  /** Unix time. */
  seconds = 0
  nanos = 0
  attributes: Readonly<Record<string, string>> | undefined

  readonly #secondsBytes = Buffer.alloc(secondsLength)
  #cachedSeconds = Number.NaN
  #attributesBytes = Buffer.alloc(0)
  #cachedAttributes: Readonly<Record<string, string>> | undefined

  get timeNs(): bigint {
    return BigInt(this.seconds) * 1_000_000_000n + BigInt(this.nanos)
  }

  /**
   * Reads the line that begins at `start`; `bytes` ends with a newline. Answers where the next one begins. `found` tells
   * whether there was a record; escapes in `bytes` are resolved where they stand.
   */
  read(bytes: Buffer, start: number): { next: number; found: boolean } {
    const next = this.#readFast(bytes, start)
    if (next >= 0) return { next, found: true }
    const end = bytes.indexOf(newline, start)
    const stop = end < 0 ? bytes.length : end
    return { next: stop + 1, found: this.#readSlow(bytes.subarray(start, stop)) }
  }

  #readFast(bytes: Buffer, start: number): number {
    if (!matches(bytes, start, prefix)) return -1
    const textStart = start + prefix.length
    let firstEscape = -1
    let at = textStart
    for (let byte = bytes[at]; byte !== quote; byte = bytes[at]) {
      if (byte === undefined || byte === newline) return -1
      if (byte === backslash) {
        if (firstEscape < 0) firstEscape = at
        at += 1
      }
      at += 1
    }
    const textEnd = at
    if (!matches(bytes, at, streamKey)) return -1
    at += streamKey.length
    const isStdout = matches(bytes, at, outTail)
    if (!isStdout && !matches(bytes, at, errTail)) return -1
    const next = this.#readTail(bytes, at + outTail.length)
    if (next < 0) return -1
    const unescapedEnd = firstEscape < 0 ? textEnd : unescapeInPlace(bytes, firstEscape, textEnd)
    if (unescapedEnd < 0) return -1
    this.text = bytes
    this.textStart = textStart
    this.textEnd = unescapedEnd
    this.isStdout = isStdout
    return next
  }

  /** `,"attrs":{…},"time":"…"}` and the newline. */
  #readTail(bytes: Buffer, start: number): number {
    let at = start
    this.attributes = undefined
    if (matches(bytes, at, attrsKey)) {
      at = this.#readAttributes(bytes, at + attrsKey.length)
      if (at < 0) return -1
    }
    if (!matches(bytes, at, timeKey)) return -1
    at = this.#readTime(bytes, at + timeKey.length)
    if (at < 0 || !matches(bytes, at, lineEnd)) return -1
    return at + lineEnd.length
  }

  /** All lines of a run carry the same attributes: they are parsed when they change. */
  #readAttributes(bytes: Buffer, start: number): number {
    const cached = this.#attributesBytes
    if (cached.length > 0 && matches(bytes, start, cached)) {
      this.attributes = this.#cachedAttributes
      return start + cached.length
    }
    const end = endOfObject(bytes, start)
    if (end < 0) return -1
    const raw = Buffer.from(bytes.subarray(start, end))
    const parsed = parseObject(raw)
    if (!parsed) return -1
    this.#attributesBytes = raw
    this.#cachedAttributes = parsed as Readonly<Record<string, string>>
    this.attributes = this.#cachedAttributes
    return end
  }

  /** `2026-11-24T09:24:51.134412289Z`; answers the position behind the Z. */
  #readTime(bytes: Buffer, start: number): number {
    if (!matches(bytes, start, this.#secondsBytes) || Number.isNaN(this.#cachedSeconds)) {
      const seconds = Date.parse(`${bytes.toString('latin1', start, start + secondsLength)}Z`) / 1000
      if (!Number.isInteger(seconds)) return -1
      bytes.copy(this.#secondsBytes, 0, start, start + secondsLength)
      this.#cachedSeconds = seconds
    }
    let at = start + secondsLength
    let nanos = 0
    if (bytes[at] === 0x2e) {
      at += 1
      let unit = 100_000_000
      for (let digit = (bytes[at] as number) - 0x30; digit >= 0 && digit <= 9; digit = (bytes[at] as number) - 0x30) {
        nanos += digit * unit
        unit = Math.floor(unit / 10)
        at += 1
      }
    }
    if (bytes[at] !== 0x5a) return -1
    this.seconds = this.#cachedSeconds
    this.nanos = nanos
    return at + 1
  }

  #readSlow(line: Buffer): boolean {
    const record = parseObject(line) ?? this.#afterTornLine(line)
    if (!record) return false
    const { log, stream, time, attrs } = record
    if (typeof log !== 'string' || typeof time !== 'string') return false
    const parsed = parseTime(time)
    if (!parsed) return false
    this.text = Buffer.from(log)
    this.textStart = 0
    this.textEnd = this.text.length
    this.isStdout = stream !== 'stderr'
    this.seconds = parsed.seconds
    this.nanos = parsed.nanos
    this.attributes = typeof attrs === 'object' ? (attrs as Record<string, string>) : undefined
    return true
  }

  /** A writer that was killed in the middle of a line leaves its beginning; the next record follows on the same line. */
  #afterTornLine(line: Buffer): Record<string, unknown> | undefined {
    const again = line.lastIndexOf(prefix)
    return again > 0 ? parseObject(line.subarray(again)) : undefined
  }
}

function matches(bytes: Buffer, at: number, expected: Buffer): boolean {
  for (let index = 0; index < expected.length; index++) if (bytes[at + index] !== expected[index]) return false
  return true
}

function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function endOfObject(bytes: Buffer, start: number): number {
  let depth = 0
  let inString = false
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === newline) return -1
    if (inString) {
      if (byte === backslash) at += 1
      else if (byte === quote) inString = false
    } else if (byte === quote) inString = true
    else if (byte === 0x7b) depth += 1
    else if (byte === 0x7d && --depth === 0) return at + 1
  }
  return -1
}

/** RFC 3339 with any fraction and zone. */
function parseTime(text: string): { seconds: number; nanos: number } | undefined {
  const match = /^([\d-]+T[\d:]+)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(text)
  const seconds = match ? Date.parse(`${match[1]}${match[3]}`) / 1000 : Number.NaN
  if (!match || !Number.isInteger(seconds)) return undefined
  return { seconds, nanos: Number((match[2] ?? '').padEnd(9, '0')) }
}
