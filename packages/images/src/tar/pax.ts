/** PAX extended headers: records `length key=value\n` whose values are raw bytes. */
import { TarError } from './entry.ts'

export type PaxRecords = [key: string, value: Buffer][]

/** Reads the records in order; a key can come several times (sparse maps). */
export function parsePax(data: Buffer): PaxRecords {
  const records: PaxRecords = []
  let at = 0
  while (at < data.length) {
    const space = data.indexOf(0x20, at)
    const digits = space < 0 ? '' : data.toString('latin1', at, space)
    const next = at + Number(digits)
    if (!/^\d{1,10}$/.test(digits) || next > data.length || next < space + 4 || data[next - 1] !== 0x0a) {
      throw new TarError('archive/tar: invalid tar header')
    }
    const equals = data.indexOf(0x3d, space + 1)
    if (equals < 0 || equals >= next - 1 || equals === space + 1) {
      throw new TarError('archive/tar: invalid tar header')
    }
    const key = data.toString('utf8', space + 1, equals)
    if (key.includes('\0')) throw new TarError('archive/tar: invalid tar header')
    records.push([key, data.subarray(equals + 1, next - 1)])
    at = next
  }
  return records
}

export function formatPax(records: PaxRecords): Buffer {
  return Buffer.concat(records.map(([key, value]) => formatRecord(key, value)))
}

function formatRecord(key: string, value: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  // The length counts its own digits.
  let length = body.length + 1
  while (String(length).length + body.length !== length) length = String(length).length + body.length
  return Buffer.concat([Buffer.from(String(length)), body])
}

/** A decimal without sign, below 2^53. */
export function paxNumber(value: Buffer): number {
  const text = value.toString('latin1')
  const number = Number(text)
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(number)) {
    throw new TarError('archive/tar: invalid tar header')
  }
  return number
}

/** `seconds[.fraction]`, negative too, in nanoseconds; finer digits are cut. */
export function paxTime(value: Buffer): bigint {
  const match = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(value.toString('latin1'))
  if (match === null) throw new TarError('archive/tar: invalid tar header')
  const fraction = (match[3] ?? '').slice(0, 9).padEnd(9, '0')
  const ns = BigInt(match[2] ?? '0') * 1_000_000_000n + BigInt(fraction)
  return match[1] === '-' ? -ns : ns
}

export function formatPaxTime(ns: bigint): string {
  const positive = ns < 0n ? -ns : ns
  const fraction = String(positive % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${ns < 0n ? '-' : ''}${positive / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}`
}
