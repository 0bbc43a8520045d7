/** Reads an endpoint's query string by its table entry. */
import type { EndpointSpec, QueryKind } from '../endpoints/define-endpoint.ts'
import { parseFilters } from './filters.ts'
import { InvalidRequest } from './invalid-request.ts'
import { parseBoolean, parseInteger, parsePlatform, parseTimestampNs, parseUint32 } from './scalars.ts'

type RawQuery = ReadonlyMap<string, readonly string[]>

const emptyQuery: RawQuery = new Map()

/** `text` is what follows the question mark. A malformed escape and a bare semicolon are refused, as by Go's parser. */
export function splitQuery(text: string): RawQuery {
  if (text === '') return emptyQuery
  if (text.includes(';')) throw new InvalidRequest('invalid semicolon separator in query')
  const query = new Map<string, string[]>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const key = decode(equals === -1 ? pair : pair.slice(0, equals))
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1))
    const values = query.get(key)
    if (values === undefined) query.set(key, [value])
    else values.push(value)
  }
  return query
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ')
  if (!spaced.includes('%')) return spaced
  const broken = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(spaced)
  if (broken !== null) throw new InvalidRequest(`invalid URL escape ${JSON.stringify(broken[0])}`)
  try {
    return decodeURIComponent(spaced)
  } catch {
    // Well-formed escapes of bytes that are not UTF-8: Go keeps the bytes, we show the replacement character.
    return Buffer.from(
      spaced.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      'latin1',
    ).toString('utf8')
  }
}

/** The parameters by name, in the types that QueryOf<E> says. Throws InvalidRequest. */
export function parseQuery(endpoint: EndpointSpec, text: string): Record<string, unknown> {
  if (endpoint.query === undefined) return {}
  const raw = splitQuery(text)
  const query: Record<string, unknown> = {}
  for (const [name, kind] of Object.entries(endpoint.query)) query[name] = readParameter(kind, raw.get(name))
  return query
}

function readParameter(kind: QueryKind, values: readonly string[] = []): unknown {
  const first = values[0] ?? ''
  if (typeof kind === 'object') return parseFilters(first, kind.filters)
  switch (kind) {
    case 'string':
      return first === '' ? undefined : first
    case 'strings':
      return values
    case 'boolean':
      return parseBoolean(first)
    case 'booleanTrue':
      return values.length === 0 || parseBoolean(first)
    case 'integer':
      return first === '' ? undefined : parseInteger(first)
    case 'uint32':
      return parseUint32(first)
    case 'timestamp':
      return first === '' || first === '0' ? undefined : parseTimestampNs(first)
    case 'eventTime':
      return first === '' || first === '-1' ? undefined : parseTimestampNs(first)
    case 'platform':
      return first === '' ? undefined : parsePlatform(first)
    case 'platforms':
      return values.filter((value) => value !== '').map(parsePlatform)
  }
}
