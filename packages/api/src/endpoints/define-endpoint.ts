/**
 * What an endpoint is: plain data. Bodies are named after their schema instead of holding it, so that a client can use
 * the table without loading zod; the types below turn the names into types, for the daemon's routes and the client.
 */
import type * as z from 'zod'
import type * as schemas from '../schemas/index.ts'

export type SchemaName = keyof typeof schemas
export type SchemaType<N extends SchemaName> = z.infer<(typeof schemas)[N]>

/**
 * How a query parameter is read. `boolean`: empty, 0, no, false and none are false; absent is false, or true for
 * `booleanTrue`. `timestamp`: seconds[.nanoseconds]; 0 is none, or with `eventTime` the year 1970, and -1 none. `platform`: os[/arch[/variant]] or its JSON form. A `filters`
 * parameter names the keys it allows.
 */
export type QueryKind =
  | 'string'
  | 'strings'
  | 'boolean'
  | 'booleanTrue'
  | 'integer'
  | 'uint32'
  | 'timestamp'
  | 'eventTime'
  | 'platform'
  | 'platforms'
  | { readonly filters: readonly string[] }

export type Filters = Readonly<Record<string, readonly string[]>>

interface QueryTypes {
  string: string | undefined
  strings: readonly string[]
  boolean: boolean
  booleanTrue: boolean
  integer: number | undefined
  uint32: number
  timestamp: bigint | undefined
  eventTime: bigint | undefined
  platform: string | undefined
  platforms: readonly string[]
}

export type QueryValue<K extends QueryKind> = K extends keyof QueryTypes ? QueryTypes[K] : Filters

export interface EndpointSpec {
  /** The operationId of Docker's API description, or a name in its style for what it omits. */
  readonly operation: string
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** `{name}` takes slashes. */
  readonly path: `/${string}`
  /** json: one document or nothing. stream: bytes or lines as they come. hijack: the connection is taken over. */
  readonly transport: 'json' | 'stream' | 'hijack' | 'websocket'
  readonly query?: Readonly<Record<string, QueryKind>>
  /** A schema for JSON; `bytes` for a body that is read as it comes (a tar). */
  readonly body?: SchemaName | 'bytes'
  /** Without a body most endpoints read an empty object; these refuse. */
  readonly bodyRequired?: true
  /** A schema, `Schema[]` for a list, or a media type for what is not JSON. */
  readonly response?: SchemaName | `${SchemaName}[]` | `${string}/${string}`
  /** Of success; 200 when absent. */
  readonly status?: 200 | 201 | 204
  /** The engine's errors come as plain text on the hijacked connection, not as JSON. */
  readonly hijackedErrors?: true
  /** The API version that introduced it; older ones answer 404. */
  readonly since?: `1.${number}`
}

export const defineEndpoint = <const E extends EndpointSpec>(endpoint: E): E => endpoint

type ParamNames<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | ParamNames<Rest> : never

export type ParamsOf<E extends EndpointSpec> = { [K in ParamNames<E['path']>]: string }
export type QueryOf<E extends EndpointSpec> =
  E['query'] extends Readonly<Record<string, QueryKind>>
    ? { [K in keyof E['query']]: QueryValue<E['query'][K]> }
    : Record<never, never>
export type BodyOf<E extends EndpointSpec> = E['body'] extends SchemaName ? SchemaType<E['body']> : undefined
export type ResponseOf<E extends EndpointSpec> = E['response'] extends SchemaName
  ? SchemaType<E['response']>
  : E['response'] extends `${infer N extends SchemaName}[]`
    ? SchemaType<N>[]
    : unknown
