/** An OpenAPI description of what is served, made from the endpoint table and the schemas. */
import * as z from 'zod'
import type { EndpointSpec, QueryKind } from './endpoints/define-endpoint.ts'
import { servedEndpoints } from './endpoints/index.ts'
import * as schemas from './schemas/index.ts'
import { newestApiVersion } from './versions/api-version.ts'

let document: object | undefined

/** OpenAPI 3.1. */
export function openApiDocument(): object {
  document ??= {
    openapi: '3.1.0',
    info: { title: 'dockerd-ts Engine API', version: newestApiVersion },
    servers: [{ url: `/v${newestApiVersion}` }],
    paths: describePaths(),
    components: { schemas: describeSchemas() },
  }
  return document
}

function describePaths(): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {}
  for (const endpoint of servedEndpoints) {
    const path = paths[endpoint.path] ?? {}
    paths[endpoint.path] = path
    path[endpoint.method.toLowerCase()] = describeOperation(endpoint)
  }
  return paths
}

function describeOperation(endpoint: EndpointSpec): object {
  const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
  return {
    operationId: endpoint.operation,
    parameters: [
      ...names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...Object.entries(endpoint.query ?? {}).map(([name, kind]) => ({ name, in: 'query', schema: querySchema(kind) })),
    ],
    ...(endpoint.body === undefined ? {} : { requestBody: { content: bodyContent(endpoint.body) } }),
    responses: {
      [isHijack(endpoint) ? 101 : (endpoint.status ?? 200)]: {
        description: 'success',
        ...(endpoint.response === undefined ? {} : { content: responseContent(endpoint.response) }),
      },
      default: { description: 'an error', content: jsonContent({ $ref: '#/components/schemas/ErrorResponse' }) },
    },
  }
}

const isHijack = ({ transport }: EndpointSpec) => transport === 'hijack' || transport === 'websocket'

function querySchema(kind: QueryKind): object {
  if (typeof kind === 'object') return { type: 'string', description: `JSON; keys: ${kind.filters.join(', ')}` }
  switch (kind) {
    case 'boolean':
      return { type: 'boolean', default: false }
    case 'booleanTrue':
      return { type: 'boolean', default: true }
    case 'integer':
    case 'uint32':
      return { type: 'integer' }
    case 'strings':
    case 'platforms':
      return { type: 'array', items: { type: 'string' } }
    default:
      return { type: 'string' }
  }
}

const jsonContent = (schema: object) => ({ 'application/json': { schema } })

function bodyContent(body: NonNullable<EndpointSpec['body']>): object {
  if (body === 'bytes') return { 'application/x-tar': { schema: { type: 'string', format: 'binary' } } }
  return jsonContent({ $ref: `#/components/schemas/${body}` })
}

function responseContent(response: NonNullable<EndpointSpec['response']>): object {
  if (response.includes('/')) return { [response]: { schema: { type: 'string', format: 'binary' } } }
  if (!response.endsWith('[]')) return jsonContent({ $ref: `#/components/schemas/${response}` })
  return jsonContent({ type: 'array', items: { $ref: `#/components/schemas/${response.slice(0, -2)}` } })
}

function describeSchemas(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema: _dialect, ...described } = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' })
      return [name, described]
    }),
  )
}
