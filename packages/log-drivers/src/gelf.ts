/** Log driver `gelf`: Graylog's extended log format 1.1 over UDP (compressed, in chunks) or TCP. */
import { randomBytes } from 'node:crypto'
import { deflateSync, gzipSync } from 'node:zlib'
import type { LogOrigin, LogRecord, LogTarget } from '@dockerd-ts/core'
import { parseAddress } from './addresses.ts'
import { DatagramSender } from './datagram-sender.ts'
import { attributeOptions, type Driver, type Options, severityOf, textOf } from './driver.ts'
import { StreamConnection } from './stream-connection.ts'

const compressionOptions = ['gelf-compression-type', 'gelf-compression-level']
const reconnectOptions = ['gelf-tcp-max-reconnect', 'gelf-tcp-reconnect-delay']
const known = [...attributeOptions, 'gelf-address', ...compressionOptions, ...reconnectOptions]

export function gelfDriver(): Driver {
  return {
    check(options) {
      for (const key of Object.keys(options)) {
        if (!known.includes(key)) throw new Error(`unknown log opt ${JSON.stringify(key)} for gelf log driver`)
      }
      const { protocol } = placeOf(options)
      checkTransport(options, protocol)
    },
    create: (options, origin) => createTarget(options, origin),
  }
}

function placeOf(options: Options): { protocol: 'udp' | 'tcp'; host: string; port: number } {
  const text = options['gelf-address']
  if (!text) throw new Error('gelf-address is a required parameter')
  const address = parseAddress(text)
  const protocol = /^(udp|tcp):\/\//.exec(text)?.[1]
  if (protocol !== 'udp' && protocol !== 'tcp') throw new Error('gelf: endpoint needs to be TCP or UDP')
  const { host = '', port } = address ?? {}
  if (port === undefined) throw new Error('gelf: please provide gelf-address as proto://host:port')
  return { protocol, host, port }
}

function checkTransport(options: Options, protocol: 'udp' | 'tcp'): void {
  if (protocol === 'tcp' && compressionOptions.some((key) => options[key] !== undefined)) {
    throw new Error('compression is only supported on UDP')
  }
  if (protocol === 'udp' && reconnectOptions.some((key) => options[key] !== undefined)) {
    const key = reconnectOptions.find((name) => options[name] !== undefined)
    throw new Error(`${JSON.stringify(key)} is only valid for TCP`)
  }
  compressor(options)
  retryOf(options)
}

function retryOf(options: Options): { delayMs: number; maxAttempts: number } | undefined {
  const attempts = options['gelf-tcp-max-reconnect']
  const delay = options['gelf-tcp-reconnect-delay']
  if (attempts === undefined && delay === undefined) return undefined
  return {
    delayMs: (delay === undefined ? 1 : positive(delay, 'gelf-tcp-reconnect-delay')) * 1_000,
    maxAttempts: (attempts === undefined ? 3 : positive(attempts, 'gelf-tcp-max-reconnect')) + 1,
  }
}

function positive(text: string, option: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new Error(`${JSON.stringify(option)} must be a positive integer`)
}

const unknownValue = (option: string, value: string | undefined) =>
  new Error(`unknown value ${JSON.stringify(value)} for log opt ${JSON.stringify(option)} for gelf log driver`)

function compressor(options: Options): (bytes: Buffer) => Buffer {
  const text = options['gelf-compression-level'] ?? '1'
  const level = Number(text)
  if (!/^(-1|\d)$/.test(text)) throw unknownValue('gelf-compression-level', text)
  switch (options['gelf-compression-type'] ?? 'gzip') {
    case 'gzip':
      return (bytes) => gzipSync(bytes, { level })
    case 'zlib':
      return (bytes) => deflateSync(bytes, { level })
    case 'none':
      return (bytes) => bytes
    default:
      throw unknownValue('gelf-compression-type', options['gelf-compression-type'])
  }
}

function createTarget(options: Options, origin: LogOrigin): LogTarget {
  const { protocol, host, port } = placeOf(options)
  const fixed = fixedFields(origin)
  const message = (record: LogRecord) => gelfMessage(fixed, record)
  if (protocol === 'tcp') {
    const connection = new StreamConnection({ kind: 'tcp', host, port })
    const retry = retryOf(options)
    return {
      open: () => connected(connection.open(), { host, port }),
      send: (records) =>
        connection.write(Buffer.concat(records.flatMap((record) => [message(record), Buffer.alloc(1)]))),
      close: () => connection.close(),
      ...(retry && { retry }),
    }
  }
  const sender = new DatagramSender(host, port)
  const compress = compressor(options)
  return {
    open: () => connected(sender.open(), { host, port }),
    async send(records) {
      for (const record of records) {
        for (const chunk of gelfChunks(compress(message(record)))) await sender.send(chunk)
      }
    },
    close: () => sender.close(),
  }
}

async function connected(opening: Promise<void>, { host, port }: { host: string; port: number }): Promise<void> {
  try {
    await opening
  } catch (cause) {
    throw new Error(`gelf: cannot connect to GELF endpoint: ${host}:${port} ${(cause as Error).message}`, { cause })
  }
}

function fixedFields(origin: LogOrigin): Record<string, string> {
  const attributes = Object.entries(origin.attributes).map(([key, value]) => [
    key.startsWith('_') ? key : `_${key}`,
    value,
  ])
  return {
    ...Object.fromEntries(attributes),
    _command: origin.command.join(' '),
    _container_id: origin.containerId,
    _container_name: origin.containerName,
    _created: new Date(Number(origin.createdAtNs / 1_000_000n)).toISOString(),
    _image_id: origin.imageId,
    _image_name: origin.imageName,
    _tag: origin.tag,
    host: origin.hostname,
  }
}

export function gelfMessage(fixed: Readonly<Record<string, string>>, record: LogRecord): Buffer {
  const { host, ...additional } = fixed
  return Buffer.from(
    JSON.stringify({
      version: '1.1',
      host,
      short_message: textOf(record).toString(),
      timestamp: Number(record.timeNs / 1_000_000n) / 1_000,
      level: severityOf(record),
      ...additional,
    }),
  )
}

const chunkBytes = 1_420
const chunkHeaderBytes = 12
const maxChunks = 128

/** A datagram as it is when it is small enough, otherwise its parts; what needs more than 128 of them cannot be sent. */
export function gelfChunks(message: Buffer): Buffer[] {
  if (message.length <= chunkBytes) return [message]
  const room = chunkBytes - chunkHeaderBytes
  const count = Math.ceil(message.length / room)
  if (count > maxChunks) return []
  const id = randomBytes(8)
  return Array.from({ length: count }, (_, index) =>
    Buffer.concat([
      Buffer.from([0x1e, 0x0f]),
      id,
      Buffer.from([index, count]),
      message.subarray(index * room, (index + 1) * room),
    ]),
  )
}
