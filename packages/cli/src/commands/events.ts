/** `events`: follows what happens in the daemon. */

import type { JsonNumber } from '@dockerd-ts/go-template/values'
import { jsonTexts } from '../client/api-client.ts'
import { defineCommand, noArguments } from '../command.ts'
import { ExitError, messageOf } from '../exit-error.ts'
import { describe, type Json, parseExact, type TypeTable, typed } from '../format/go-types.ts'
import { goTime } from '../format/units.ts'
import { encodeFilters, filterFlag } from '../options/filters.ts'
import { string } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'
import { parseTimestamp } from '../options/timestamps.ts'

interface EventMessage {
  Type: string
  Action: string
  Actor: { ID: string; Attributes: Record<string, string> | null }
  /** Unix times; too large for a number when in nanoseconds, so kept as text. */
  time?: number | JsonNumber
  timeNano?: number | JsonNumber
}

const types: TypeTable = {
  Message: describe(
    '*events.Message',
    'Status string status,omitempty',
    'ID string id,omitempty',
    'From string from,omitempty',
    'Type string',
    'Action string',
    'Actor Actor',
    'Scope string scope,omitempty',
    'Time int time,omitempty',
    'TimeNano int timeNano,omitempty',
  ),
  Actor: describe('events.Actor', 'ID string', 'Attributes map[]string'),
}

const EMPTY: Json = { Type: '', Action: '', Actor: { ID: '', Attributes: {} } }
const TEMPLATE_ERROR_CODE = 64

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'Follow what happens in the daemon',
  aliases: ['docker system events', 'docker events'],
  args: noArguments,
  flags: {
    filter: filterFlag('Show only what matches'),
    format: formatFlag('', false),
    since: string('', 'Show everything since a time'),
    until: string('', 'Show everything until a time'),
  },
  async run({ cli, flags }) {
    const render = await renderer(flags.format)
    const now = new Date()
    const query = {
      since: parseTimestamp(flags.since, now) || undefined,
      until: parseTimestamp(flags.until, now) || undefined,
      filters: encodeFilters(flags.filter),
    }
    const reply = await (await cli.api()).request('GET', '/events', { query })
    for await (const text of jsonTexts(reply.body)) cli.out(`${render(parseExact(text))}\n`)
  },
})

async function renderer(format: string): Promise<(message: Json) => string> {
  if (format === '') return (message) => plainEvent(message as unknown as EventMessage)
  const { compileTemplate } = await import('@dockerd-ts/go-template/execute')
  try {
    const template = compileTemplate(format === 'json' ? '{{json .}}' : format)
    const rendered = (message: Json) => template.render(typed(message, 'Message', types))
    // What no message can answer is told before the first of them.
    rendered(EMPTY)
    return rendered
  } catch (error) {
    throw new ExitError(TEMPLATE_ERROR_CODE, `Error parsing format: ${messageOf(error)}`)
  }
}

function plainEvent({ Type, Action, Actor, time, timeNano }: EventMessage): string {
  const nanos = timeNano ? integer(timeNano) : integer(time ?? 0) * 1_000_000_000n
  const when = nanos > 0n ? `${eventTime(nanos)} ` : ''
  const attributes = Object.entries(Actor.Attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const shown = attributes.length > 0 ? ` (${attributes.map(([key, value]) => `${key}=${value}`).join(', ')})` : ''
  return `${when}${Type} ${Action} ${Actor.ID}${shown}`
}

const integer = (value: number | JsonNumber): bigint => BigInt(typeof value === 'number' ? value : value.text)

/** Local time with nine digits of a second. */
function eventTime(nanos: bigint): string {
  const date = new Date(Number(nanos / 1_000_000n))
  const [day, clock, zone = ''] = goTime(date, `.${String(nanos % 1_000_000_000n).padStart(9, '0')}`).split(' ')
  return `${day}T${clock}${zone === '+0000' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3)}`}`
}
