/** Log driver `syslog`. */
import { existsSync, readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import type { LogOrigin, LogRecord, LogTarget } from '@dockerd-ts/core'
import { parseAddress } from './addresses.ts'
import { DatagramSender } from './datagram-sender.ts'
import { attributeOptions, type Driver, type Options, type SendDatagram } from './driver.ts'
import { sendToSocket } from './socket-datagrams.ts'
import { type StreamAddress, StreamConnection } from './stream-connection.ts'
import { octetCounted, type SyslogFormat, type SyslogSource, syslogMessage } from './syslog-format.ts'

const tlsOptions = ['syslog-tls-ca-cert', 'syslog-tls-cert', 'syslog-tls-key', 'syslog-tls-skip-verify']
const known = [...attributeOptions, 'syslog-address', 'syslog-facility', 'syslog-format', ...tlsOptions]

const facilities = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...['', '', '', '', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
]

const formats: Readonly<Record<string, SyslogFormat>> = {
  '': 'unix',
  rfc3164: 'rfc3164',
  rfc5424: 'rfc5424',
  rfc5424micro: 'rfc5424micro',
}

/** Where the C library's syslog(3) looks, and where older systems have it. */
const localSockets = ['/dev/log', '/var/run/syslog', '/var/run/log']

const schemes = ['udp', 'tcp', 'tcp+tls', 'unix', 'unixgram']

type Place =
  | { kind: 'local' }
  | { kind: 'datagram'; path: string }
  | { kind: 'udp'; host: string; port: number }
  | { kind: 'stream'; address: StreamAddress }

export function syslogDriver(sendDatagram: SendDatagram): Driver {
  return {
    check(options) {
      for (const key of Object.keys(options)) {
        if (!known.includes(key)) throw new Error(`unknown log opt '${key}' for syslog log driver`)
      }
      placeOf(options)
      facilityOf(options)
      formatOf(options)
    },
    create: (options, origin) => createTarget(options, origin, sendDatagram),
  }
}

function facilityOf(options: Options): number {
  const text = options['syslog-facility'] || 'daemon'
  const named = facilities.indexOf(text)
  const number = named >= 0 ? named : Number(text)
  if (!Number.isInteger(number) || number < 0 || number > 23) throw new Error('invalid syslog facility')
  return number
}

function formatOf(options: Options): SyslogFormat {
  const format = formats[options['syslog-format'] ?? '']
  if (format === undefined) throw new Error('Invalid syslog format')
  return format
}

/** The port that IANA gave to syslog over UDP and, by custom, TCP. */
const defaultPort = 514

function placeOf(options: Options): Place {
  const text = options['syslog-address']
  if (!text) return { kind: 'local' }
  const address = parseAddress(text)
  if (address === undefined) {
    const scheme = /^([a-z+0-9]+):\/\//.exec(text)?.[1] ?? ''
    if (!schemes.includes(scheme)) throw new Error(`unsupported scheme: '${scheme}'`)
    throw new Error(`syslog-address should be in form proto://address, got ${text}`)
  }
  const { protocol, host, path, port = defaultPort } = address
  switch (protocol) {
    case 'unix':
    case 'unixgram':
      if (!existsSync(path)) throw new Error(`stat ${path}: no such file or directory`)
      return protocol === 'unix' ? { kind: 'stream', address: { kind: 'unix', path } } : { kind: 'datagram', path }
    case 'udp':
      return { kind: 'udp', host, port }
    case 'tcp':
      return { kind: 'stream', address: { kind: 'tcp', host, port } }
    case 'tcp+tls':
      return { kind: 'stream', address: { kind: 'tls', host, port, tls: tlsOf(options) } }
    default:
      throw new Error(`unsupported scheme: '${protocol}'`)
  }
}

function tlsOf(options: Options): ConnectionOptions {
  const read = (key: string) => (options[key] ? { pem: readFileSync(options[key]) } : undefined)
  const ca = read('syslog-tls-ca-cert')
  const cert = read('syslog-tls-cert')
  const key = read('syslog-tls-key')
  return {
    ...(ca && { ca: ca.pem }),
    ...(cert && { cert: cert.pem }),
    ...(key && { key: key.pem }),
    // As in Docker any value, even an empty one, turns verification off.
    rejectUnauthorized: options['syslog-tls-skip-verify'] === undefined,
  }
}

function createTarget(options: Options, origin: LogOrigin, sendDatagram: SendDatagram): LogTarget {
  const place = placeOf(options)
  const format = formatOf(options)
  const source: SyslogSource = {
    facility: facilityOf(options),
    hostname: origin.hostname,
    tag: origin.tag,
    processId: process.pid,
  }
  const message = (record: LogRecord) => syslogMessage(record, format, source)
  switch (place.kind) {
    case 'udp':
      return overUdp(place, message)
    case 'stream': {
      const counted = place.address.kind === 'tls' && format.startsWith('rfc5424')
      return overStream(place.address, counted ? (record) => octetCounted(message(record)) : message)
    }
    default:
      return overSocket(place.kind === 'local' ? localSockets : [place.path], { message, sendDatagram })
  }
}

function overUdp({ host, port }: { host: string; port: number }, message: (record: LogRecord) => Buffer): LogTarget {
  const sender = new DatagramSender(host, port)
  return {
    open: () => sender.open(),
    async send(records) {
      for (const record of records) await sender.send(message(record))
    },
    close: () => sender.close(),
  }
}

function overStream(address: StreamAddress, message: (record: LogRecord) => Buffer): LogTarget {
  const connection = new StreamConnection(address)
  return {
    open: () => connection.open(),
    send: (records) => connection.write(Buffer.concat(records.map(message))),
    close: () => connection.close(),
  }
}

function overSocket(
  paths: readonly string[],
  { message, sendDatagram }: { message: (record: LogRecord) => Buffer; sendDatagram: SendDatagram },
): LogTarget {
  const found = () => paths.find((path) => existsSync(path))
  return {
    async open() {
      if (found() === undefined) throw new Error('Unix syslog delivery error')
    },
    async send(records) {
      const path = found()
      if (path === undefined) throw new Error('Unix syslog delivery error')
      for (const record of records) await sendToSocket(sendDatagram, path, message(record))
    },
    close: () => undefined,
  }
}
