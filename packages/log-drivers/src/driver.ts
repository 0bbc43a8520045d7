/** What one log driver consists of, and the options that drivers have in common. */
import type { LogOrigin, LogRecord, LogTarget } from '@dockerd-ts/core'

export type Options = Readonly<Record<string, string>>

/** Sends one datagram to a Unix socket. Rejects with `code` of the system: EAGAIN when the receiver's queue is full. */
export type SendDatagram = (path: string, bytes: Buffer) => Promise<void>

export interface Driver {
  /** Throws an Error in Docker's words. */
  check(options: Options): void
  create(options: Options, origin: LogOrigin): LogTarget
}

/** Which labels and variables go along, and under what name. */
export const attributeOptions = ['labels', 'labels-regex', 'env', 'env-regex', 'tag']

/** The text of a record without the newline that ends it. */
export function textOf({ line }: LogRecord): Buffer {
  return isPartial({ line }) ? line : line.subarray(0, line.length - 1)
}

/** A line over 16 KiB comes in parts; only the last ends with a newline. */
export const isPartial = ({ line }: Pick<LogRecord, 'line'>): boolean => line.at(-1) !== 0x0a

/** Severities of syslog, which journald and gelf use too: informational and error. */
export const severityOf = ({ stream }: LogRecord): number => (stream === 'stdout' ? 6 : 3)

/** `30s`, `500ms`, or a number of milliseconds, as the fluentd driver takes them. */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text)
  if (match === null) throw new Error(`time: invalid duration ${JSON.stringify(text)}`)
  const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
  return Number(match[1]) * (units[match[2] ?? 'ms'] ?? 1)
}

export function parseFlag(text: string | undefined): boolean {
  if (text === undefined || text === '') return false
  if (/^(1|t|true)$/i.test(text)) return true
  if (/^(0|f|false)$/i.test(text)) return false
  throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
}

export function parseUnsigned(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
}
