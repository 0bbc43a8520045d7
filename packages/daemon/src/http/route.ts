/** Joins an endpoint of the table with its handler, and parses what the handler is given. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import {
  adaptRequest,
  type BodyOf,
  checkJsonContentType,
  type EndpointSpec,
  InvalidRequest,
  isOlder,
  type ParamsOf,
  parseJsonBody,
  parseQuery,
  type QueryOf,
  type ResponseOf,
  schemas,
} from '@dockerd-ts/api'
import { readText } from './read-body.ts'
import type { Reply } from './replies.ts'
import type { RequestContext } from './request-context.ts'

export interface RouteInput<E extends EndpointSpec> {
  params: ParamsOf<E>
  query: QueryOf<E>
  body: BodyOf<E>
  version: string
  headers: IncomingHttpHeaders
  /** The body as it comes, of endpoints whose body is `bytes`. */
  bytes: Readable
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

export interface Route {
  endpoint: EndpointSpec
  handle: (input: RouteInput<EndpointSpec>) => Promise<Reply<unknown>>
}

/** `handle` throws EngineErrors and answers in the newest API version's shapes. */
export function route<E extends EndpointSpec>(
  endpoint: E,
  handle: (input: RouteInput<E>) => Promise<Reply<ResponseOf<E>>>,
): Route {
  // The table's entry types the handler; parseInput below gives it exactly what the entry says.
  return { endpoint, handle: handle as unknown as Route['handle'] }
}

export interface RawRequest {
  headers: IncomingHttpHeaders
  body: Readable
  signal: AbortSignal
}

export const isTooOldFor = (endpoint: EndpointSpec, version: string): boolean =>
  endpoint.since !== undefined && isOlder(version, endpoint.since)

/** Throws InvalidRequest. */
export async function parseInput(
  endpoint: EndpointSpec,
  context: RequestContext & { kind: 'operation' },
  raw: RawRequest,
): Promise<RouteInput<EndpointSpec>> {
  const query = parseQuery(endpoint, context.search)
  const body = await parseBody(endpoint, context, raw)
  adaptRequest(endpoint.operation, context.version, { query, body })
  return {
    params: context.match.params,
    query,
    body: body as undefined,
    version: context.version,
    headers: raw.headers,
    bytes: raw.body,
    signal: raw.signal,
  }
}

async function parseBody(endpoint: EndpointSpec, context: RequestContext, raw: RawRequest): Promise<unknown> {
  if (endpoint.body === undefined || endpoint.body === 'bytes') return undefined
  const hasBody = raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > 0
  checkJsonContentType(context.contentType, hasBody)
  const text = hasBody ? await readText(raw.body) : ''
  if ((hasBody || endpoint.bodyRequired === true) && text.trim() === '')
    throw new InvalidRequest('invalid JSON: got EOF while reading request body')
  return parseJsonBody(schemas[endpoint.body], text)
}
