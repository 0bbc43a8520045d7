/** Puts log records into Docker's stream form: an eight-byte frame each (without a terminal), prefixes, text. */
import type { LogFormat } from '@dockerd-ts/core'
import type { JsonLineReader } from './json-line.ts'

const chunkBytes = 64 * 1024
const frameBytes = 8
const timestampBytes = '2026-11-24T09:24:51.134412289Z '.length

export class LogChunkWriter {
  readonly #format: LogFormat
  #chunk = Buffer.allocUnsafe(chunkBytes)
  #used = 0
  #full: Buffer[] = []
  #second = Number.NaN
  #secondText = ''
  #attributes: Readonly<Record<string, string>> | undefined
  #details = Buffer.from(' ')

  constructor(format: LogFormat) {
    this.#format = format
  }

  add(record: JsonLineReader): void {
    const { multiplexed, timestamps } = this.#format
    const details = this.#format.details ? this.#detailsOf(record.attributes) : undefined
    const textBytes = record.textEnd - record.textStart
    const payloadBytes = (timestamps ? timestampBytes : 0) + (details?.length ?? 0) + textBytes
    this.#makeRoom((multiplexed ? frameBytes : 0) + payloadBytes)
    if (multiplexed) this.#writeFrame(record.isStdout ? 1 : 2, payloadBytes)
    if (timestamps) this.#writeTime(record.seconds, record.nanos)
    if (details) this.#used += details.copy(this.#chunk, this.#used)
    this.#used += record.text.copy(this.#chunk, this.#used, record.textStart, record.textEnd)
  }

  /** What was added since the last call. */
  take(): Buffer[] {
    const taken = this.#full
    this.#full = []
    if (this.#used > 0) {
      taken.push(this.#chunk.subarray(0, this.#used))
      this.#chunk = this.#chunk.subarray(this.#used)
      this.#used = 0
    }
    return taken
  }

  #makeRoom(bytes: number): void {
    if (this.#used + bytes <= this.#chunk.length) return
    if (this.#used > 0) this.#full.push(this.#chunk.subarray(0, this.#used))
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, bytes))
    this.#used = 0
  }

  #writeFrame(type: number, payloadBytes: number): void {
    const chunk = this.#chunk
    let at = this.#used
    chunk[at++] = type
    chunk[at++] = 0
    chunk[at++] = 0
    chunk[at++] = 0
    chunk[at++] = payloadBytes >>> 24
    chunk[at++] = payloadBytes >>> 16
    chunk[at++] = payloadBytes >>> 8
    chunk[at++] = payloadBytes
    this.#used = at
  }

  #writeTime(seconds: number, nanos: number): void {
    if (seconds !== this.#second) {
      this.#second = seconds
      this.#secondText = `${new Date(seconds * 1000).toISOString().slice(0, 19)}.`
    }
    const start = this.#used
    this.#chunk.write(this.#secondText, start, 'latin1')
    let rest = nanos
    for (let at = start + this.#secondText.length + 8; at >= start + this.#secondText.length; at--) {
      this.#chunk[at] = 0x30 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    this.#chunk[start + timestampBytes - 2] = 0x5a
    this.#chunk[start + timestampBytes - 1] = 0x20
    this.#used += timestampBytes
  }

  #detailsOf(attributes: Readonly<Record<string, string>> | undefined): Buffer {
    if (attributes !== this.#attributes) {
      this.#attributes = attributes
      this.#details = Buffer.from(`${detailsText(attributes ?? {})} `)
    }
    return this.#details
  }
}

const detailsText = (attributes: Readonly<Record<string, string>>): string =>
  Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${queryEscape(key)}=${queryEscape(value)}`)
    .join(',')

/** Go's url.QueryEscape: encodeURIComponent, a blank as +, and `!'()*` escaped too. */
const queryEscape = (text: string): string =>
  encodeURIComponent(text.toWellFormed())
    .replace(/%20/g, '+')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
