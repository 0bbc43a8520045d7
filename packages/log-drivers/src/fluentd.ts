/** Log driver `fluentd`: the forward protocol, version 1 (MessagePack), over TCP, TLS or a Unix socket. */
import { randomUUID } from 'node:crypto'
import type { LogOrigin, LogRecord, LogTarget } from '@dockerd-ts/core'
import { decode, ExtData, encode } from '@msgpack/msgpack'
import { parseAddress, parseHostPort } from './addresses.ts'
import {
  attributeOptions,
  type Driver,
  isPartial,
  type Options,
  parseDurationMs,
  parseFlag,
  parseUnsigned,
  textOf,
} from './driver.ts'
import { type StreamAddress, StreamConnection } from './stream-connection.ts'

const known = [
  ...attributeOptions,
  'fluentd-address',
  'fluentd-async',
  'fluentd-async-reconnect-interval',
  'fluentd-buffer-limit',
  'fluentd-max-retries',
  'fluentd-request-ack',
  'fluentd-retry-wait',
  'fluentd-sub-second-precision',
]

const defaultPort = 24_224
const acknowledgementTimeoutMs = 30_000
/** Entries of one message; a batch may hold more. */
const maxEntries = 1_000

export function fluentdDriver(): Driver {
  return {
    check(options) {
      for (const key of Object.keys(options)) {
        if (!known.includes(key)) throw new Error(`unknown log opt '${key}' for fluentd log driver`)
      }
      settingsOf(options)
    },
    create: (options, origin) => new FluentdTarget(settingsOf(options), origin),
  }
}

interface Settings {
  address: StreamAddress
  asynchronous: boolean
  acknowledged: boolean
  subSecond: boolean
  retry?: { delayMs: number; maxAttempts: number }
}

function settingsOf(options: Options): Settings {
  const wait = options['fluentd-retry-wait']
  const retries = options['fluentd-max-retries']
  const interval = options['fluentd-async-reconnect-interval']
  if (interval !== undefined) checkReconnectInterval(interval)
  const limit = options['fluentd-buffer-limit']
  if (limit !== undefined && !/^\d+(\.\d+)? ?[kmgt]?i?b?$/i.test(limit)) throw new Error(`invalid size: '${limit}'`)
  return {
    address: addressOf(options['fluentd-address']),
    asynchronous: parseFlag(options['fluentd-async']),
    acknowledged: parseFlag(options['fluentd-request-ack']),
    subSecond: parseFlag(options['fluentd-sub-second-precision']),
    ...((wait !== undefined || retries !== undefined) && {
      retry: {
        delayMs: wait === undefined ? 1_000 : parseDurationMs(wait),
        maxAttempts: retries === undefined ? Number.POSITIVE_INFINITY : parseUnsigned(retries) + 1,
      },
    }),
  }
}

function checkReconnectInterval(text: string): void {
  const intervalMs = parseDurationMs(text)
  if (intervalMs !== 0 && (intervalMs < 100 || intervalMs > 10_000)) {
    throw new Error(
      `invalid value for fluentd-async-reconnect-interval: value (${JSON.stringify(text)}) must be between 100ms and 10s`,
    )
  }
}

function addressOf(text: string | undefined): StreamAddress {
  if (!text) return { kind: 'tcp', host: '127.0.0.1', port: defaultPort }
  const invalid = (reason: string) => new Error(`invalid fluentd-address (${text}): ${reason}`)
  const parsed = text.includes('://') ? parseAddress(text) : { protocol: 'tcp', path: '', ...parseHostPort(text) }
  if (parsed?.host === undefined) throw invalid('invalid host or port')
  const host = parsed.host || '127.0.0.1'
  const port = parsed.port ?? defaultPort
  switch (parsed.protocol) {
    case 'unix':
      if (parsed.path === '') throw invalid('path is empty')
      return { kind: 'unix', path: parsed.path }
    case 'tcp':
      return { kind: 'tcp', host, port }
    case 'tls':
      return { kind: 'tls', host, port, tls: { servername: host } }
    default:
      throw invalid(`unsupported scheme: '${parsed.protocol}'`)
  }
}

type Entry = [time: number | ExtData, record: Record<string, string>]

class FluentdTarget implements LogTarget {
  readonly retry?: { delayMs: number; maxAttempts: number }
  readonly neverHolds: boolean
  readonly #settings: Settings
  readonly #origin: LogOrigin
  readonly #acknowledgements = new Acknowledgements()
  readonly #connection: StreamConnection

  constructor(settings: Settings, origin: LogOrigin) {
    this.#settings = settings
    this.#origin = origin
    this.neverHolds = settings.asynchronous
    if (settings.retry) this.retry = settings.retry
    this.#connection = new StreamConnection(settings.address, {
      data: (bytes) => this.#acknowledgements.feed(bytes),
      closed: () => this.#acknowledgements.fail('fluentd closed the connection'),
    })
  }

  async open(): Promise<void> {
    if (!this.#settings.asynchronous) await this.#connection.open()
  }

  async send(records: readonly LogRecord[]): Promise<void> {
    for (let at = 0; at < records.length; at += maxEntries) {
      await this.#sendEntries(records.slice(at, at + maxEntries).map((record) => this.#entry(record)))
    }
  }

  close(): void {
    this.#connection.close()
  }

  async #sendEntries(entries: Entry[]): Promise<void> {
    const { tag } = this.#origin
    if (!this.#settings.acknowledged) {
      await this.#connection.write(Buffer.from(encode([tag, entries, {}])))
      return
    }
    const chunk = Buffer.from(randomUUID()).toString('base64')
    const acknowledged = this.#acknowledgements.expect(chunk)
    try {
      await this.#connection.write(Buffer.from(encode([tag, entries, { chunk }])))
      await acknowledged
    } catch (error) {
      this.#connection.reset()
      throw error
    }
  }

  #entry(record: LogRecord): Entry {
    const { containerId, containerName, attributes } = this.#origin
    return [
      this.#settings.subSecond ? eventTime(record.timeNs) : Number(record.timeNs / 1_000_000_000n),
      {
        ...attributes,
        container_id: containerId,
        container_name: `/${containerName}`,
        source: record.stream,
        log: textOf(record).toString(),
        ...(isPartial(record) && { partial_message: 'true' }),
      },
    ]
  }
}

/** Seconds and nanoseconds, both 32 bits big-endian, as extension type 0. */
function eventTime(timeNs: bigint): ExtData {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(Number(timeNs / 1_000_000_000n), 0)
  bytes.writeUInt32BE(Number(timeNs % 1_000_000_000n), 4)
  return new ExtData(0, bytes)
}

const answerLimitBytes = 64 * 1024

/** `{ack: chunk}` for the one message that is under way. */
class Acknowledgements {
  #waiting: { chunk: string; resolve: () => void; reject: (error: Error) => void } | undefined
  #received: Buffer = Buffer.alloc(0)

  expect(chunk: string): Promise<void> {
    this.#received = Buffer.alloc(0)
    const promise = new Promise<void>((resolve, reject) => {
      this.#waiting = { chunk, resolve, reject }
    })
    const timer = setTimeout(() => this.fail('fluentd did not acknowledge'), acknowledgementTimeoutMs)
    timer.unref()
    // Who waits hears of it; nobody has to while the message is still being written.
    promise.catch(() => undefined).finally(() => clearTimeout(timer))
    return promise
  }

  feed(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes])
    if (this.#received.length > answerLimitBytes) this.fail('fluentd answers too much')
    const answer = decodedWhole(this.#received)
    if (answer === undefined) return
    if (answer.ack === this.#waiting?.chunk) this.#waiting?.resolve()
    else this.fail('fluentd acknowledged another message')
  }

  fail(reason: string): void {
    this.#waiting?.reject(new Error(reason))
    this.#waiting = undefined
  }
}

/** undefined: more bytes are to come. */
function decodedWhole(bytes: Buffer): { ack?: unknown } | undefined {
  try {
    return (decode(bytes) ?? {}) as { ack?: unknown }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    return {}
  }
}
