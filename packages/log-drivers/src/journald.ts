/** Log driver `journald`, by journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL). */
import { existsSync } from 'node:fs'
import type { LogOrigin, LogRecord, LogTarget } from '@dockerd-ts/core'
import { attributeOptions, type Driver, isPartial, type SendDatagram, severityOf, textOf } from './driver.ts'
import { sendToSocket } from './socket-datagrams.ts'

export const journaldSocket = '/run/systemd/journal/socket'

export function journaldDriver(sendDatagram: SendDatagram, socket = journaldSocket): Driver {
  return {
    check(options) {
      for (const key of Object.keys(options)) {
        if (!attributeOptions.includes(key)) throw new Error(`unknown log opt '${key}' for journald log driver`)
      }
    },
    create: (_options, origin) => createTarget(origin, { sendDatagram, socket }),
  }
}

function createTarget(
  origin: LogOrigin,
  { sendDatagram, socket }: { sendDatagram: SendDatagram; socket: string },
): LogTarget {
  const fixed = fieldsOf(origin)
  return {
    async open() {
      if (!existsSync(socket)) throw new Error('journald is not enabled on this host')
    },
    async send(records) {
      for (const record of records) await sendToSocket(sendDatagram, socket, entry(fixed, record))
    },
    close: () => undefined,
  }
}

function fieldsOf(origin: LogOrigin): Buffer {
  const own: [string, string][] = [
    ['CONTAINER_ID', origin.containerId.slice(0, 12)],
    ['CONTAINER_ID_FULL', origin.containerId],
    ['CONTAINER_NAME', origin.containerName],
    ['CONTAINER_TAG', origin.tag],
    ['IMAGE_NAME', origin.imageName],
    ['SYSLOG_IDENTIFIER', origin.tag],
  ]
  const names = new Set(own.map(([name]) => name))
  const attributes = Object.entries(origin.attributes)
    .map(([name, value]): [string, string] => [fieldName(name), value])
    // journald takes no field twice from us, and a label must not pass itself off as ours.
    .filter(([name]) => name !== '' && !names.has(name) && !/^(MESSAGE|PRIORITY)$/.test(name))
  return Buffer.concat([...own, ...attributes].map(([name, value]) => field(name, Buffer.from(value))))
}

/** Capitals, digits and underscores, none of these at the beginning; journald refuses anything else. */
const fieldName = (name: string): string =>
  name
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, '_')
    .replace(/^_+/, '')
    .slice(0, 64)

/** With its length in front where the value has lines. */
function field(name: string, value: Buffer): Buffer {
  if (!value.includes(0x0a)) return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from('\n')])
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(value.length))
  return Buffer.concat([Buffer.from(`${name}\n`), size, value, Buffer.from('\n')])
}

function entry(fixed: Buffer, record: LogRecord): Buffer {
  const time = new Date(Number(record.timeNs / 1_000_000n)).toISOString().slice(0, 19)
  const nanoseconds = String(record.timeNs % 1_000_000_000n).padStart(9, '0')
  return Buffer.concat([
    fixed,
    field('PRIORITY', Buffer.from(String(severityOf(record)))),
    field('SYSLOG_TIMESTAMP', Buffer.from(`${time}.${nanoseconds}Z`)),
    ...(isPartial(record) ? [field('CONTAINER_PARTIAL_MESSAGE', Buffer.from('true'))] : []),
    field('MESSAGE', textOf(record)),
  ])
}
