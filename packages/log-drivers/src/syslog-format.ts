/** Syslog messages: RFC 3164, RFC 5424, and the form that the C library writes. Pure. */
import type { LogRecord } from '@dockerd-ts/core'
import { severityOf, textOf } from './driver.ts'

export type SyslogFormat = 'unix' | 'rfc3164' | 'rfc5424' | 'rfc5424micro'

export interface SyslogSource {
  facility: number
  hostname: string
  tag: string
  processId: number
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (value: number): string => String(value).padStart(2, '0')

/** RFC 3164 knows no time zone: local time, as syslog daemons expect it. */
function stamp(date: Date): string {
  const day = String(date.getDate()).padStart(2, ' ')
  return `${months[date.getMonth()]} ${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

function rfc3339(timeNs: bigint, micro: boolean): string {
  const date = new Date(Number(timeNs / 1_000_000n)).toISOString()
  const fraction = micro ? `.${String((timeNs / 1_000n) % 1_000_000n).padStart(6, '0')}` : ''
  return `${date.slice(0, 19)}${fraction}Z`
}

export function syslogMessage(record: LogRecord, format: SyslogFormat, source: SyslogSource): Buffer {
  return Buffer.concat([Buffer.from(header(record, format, source)), textOf(record), Buffer.from('\n')])
}

function header(record: LogRecord, format: SyslogFormat, source: SyslogSource): string {
  const { hostname, tag, processId } = source
  const priority = `<${source.facility * 8 + severityOf(record)}>`
  const date = new Date(Number(record.timeNs / 1_000_000n))
  switch (format) {
    case 'unix':
      return `${priority}${stamp(date)} ${tag}[${processId}]: `
    case 'rfc3164':
      return `${priority}${stamp(date)} ${hostname} ${tag}[${processId}]: `
    default: {
      const time = rfc3339(record.timeNs, format === 'rfc5424micro')
      return `${priority}1 ${time} ${hostname} ${tag} ${processId} ${tag} - `
    }
  }
}

/** RFC 5425, section 4.3: the length in octets before each message. */
export const octetCounted = (message: Buffer): Buffer => Buffer.concat([Buffer.from(`${message.length} `), message])
