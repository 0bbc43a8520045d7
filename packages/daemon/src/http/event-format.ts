/** How the event stream is written: one of three framings by Accept, plain `application/json` before API 1.52. */
import { type EventMessage, isOlder } from '@dockerd-ts/api'

const lines = (event: EventMessage): string => `${encodeEvent(event)}\n`
/** RFC 7464: a record separator before each text. */
const sequence = (event: EventMessage): string => `\u001e${encodeEvent(event)}\n`

export function eventFormat(accept: string | undefined, version: string) {
  if (isOlder(version, '1.52')) return { contentType: 'application/json', encode: lines }
  for (const range of (accept ?? '').split(',')) {
    const type = range.split(';')[0]?.trim().toLowerCase()
    if (type === 'application/json-seq') return { contentType: type, encode: sequence }
    if (type === 'application/x-ndjson' || type === 'application/jsonl') return { contentType: type, encode: lines }
  }
  return { contentType: 'application/jsonl', encode: lines }
}

/** Missing in TypeScript's library still. */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }

/** Nanoseconds exceed a double: a bigint is written digit by digit. */
function encodeEvent(event: EventMessage): string {
  const { timeNano } = event
  return JSON.stringify(typeof timeNano === 'bigint' ? { ...event, timeNano: rawJSON(String(timeNano)) } : event)
}
