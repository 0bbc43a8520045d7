/** Containers: what is answered with one document or nothing. */
import type { IncomingHttpHeaders } from 'node:http'
import { type ContainerCreateRequest, endpoints, isOlder } from '@dockerd-ts/api'
import { type Engine, invalidArgument } from '@dockerd-ts/core'
import { defined } from '../defined.ts'
import { deferredJson, empty, json } from '../replies.ts'
import { type Route, route } from '../route.ts'

const { containers: table } = endpoints

export function containerRoutes({ containers }: Engine): Route[] {
  return [
    route(table.list, async ({ query: { all, limit, size, filters, removed } }) =>
      json(await containers.list({ all, size, filters, removed, ...defined({ limit }) })),
    ),
    route(table.create, async ({ query, body, version }) => {
      checkConfigured(body)
      const named = defined({ name: query.name, platform: query.platform })
      const readOnlyNonRecursive = isOlder(version, '1.44')
      return json(await containers.create({ ...named, body, readOnlyNonRecursive }))
    }),
    route(table.inspect, async ({ params, query }) => json(await containers.inspect(params.id, query))),
    route(table.why, async ({ params }) => json(await containers.why(params.id))),
    route(table.top, async ({ params, query }) => json(await containers.top(params.id, query.ps_args ?? '-ef'))),
    route(table.changes, async ({ params }) => json(await containers.changes(params.id))),
    route(table.resize, async ({ params, query }) => {
      await containers.resize(params.id, { height: query.h, width: query.w })
      return empty()
    }),
    route(table.start, async ({ params, query, headers }) => {
      checkNoBody(headers)
      await containers.start(params.id, defined({ detachKeys: query.detachKeys }))
      return empty()
    }),
    route(table.stop, async ({ params, query }) => {
      await containers.stop(params.id, defined({ signal: query.signal, timeoutSeconds: query.t }))
      return empty()
    }),
    route(table.restart, async ({ params, query }) => {
      await containers.restart(params.id, defined({ signal: query.signal, timeoutSeconds: query.t }))
      return empty()
    }),
    route(table.kill, async ({ params, query }) => {
      await containers.kill(params.id, defined({ signal: query.signal }))
      return empty()
    }),
    route(table.update, async ({ params, body }) => json(await containers.update(params.id, body))),
    route(table.rename, async ({ params, query }) => {
      await containers.rename(params.id, query.name ?? '')
      return empty()
    }),
    route(table.pause, async ({ params }) => {
      await containers.pause(params.id)
      return empty()
    }),
    route(table.unpause, async ({ params }) => {
      await containers.unpause(params.id)
      return empty()
    }),
    route(table.wait, async ({ params, query, version, signal }) => {
      const { result } = await containers.wait(params.id, { condition: waitCondition(query.condition), signal })
      // Older clients take the headers for the result.
      return isOlder(version, '1.30') ? json(await result) : deferredJson(result)
    }),
    route(table.delete, async ({ params, query: { v: volumes, force, link, removed } }) => {
      if (removed) await containers.forget(params.id)
      else await containers.remove(params.id, { volumes, force, link })
      return empty()
    }),
    route(table.prune, async ({ query }) => json(await containers.prune(query.filters))),
    route(table.commit, async ({ query: { container, repo, pause, changes, ...query }, body }) => {
      if (container === undefined) throw invalidArgument('invalid name or ID supplied: ""')
      const texts = { repository: repo, tag: query.tag, comment: query.comment, author: query.author }
      const config = Object.keys(body).length > 0 ? body : undefined
      return json(await containers.commit({ container, pause, changes, ...defined({ ...texts, config }) }))
    }),
  ]
}

/** A body needs some field of the container's own configuration; older versions' MacAddress was moved by now. */
function checkConfigured(body: ContainerCreateRequest): void {
  const { HostConfig: _host, NetworkingConfig: _networking, ...config } = body
  if (Object.keys(config).length === 0) throw invalidArgument('config cannot be empty in order to create a container')
  if (config.MacAddress !== undefined && config.MacAddress !== '') {
    throw invalidArgument('container-wide MAC address no longer supported; use endpoint-specific MAC address instead')
  }
}

/** `{}` and the like, which some clients send, are let through. */
const emptyBodyLimitBytes = 7

function checkNoBody(headers: IncomingHttpHeaders): void {
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= emptyBodyLimitBytes)
    return
  throw invalidArgument(
    'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
  )
}

function waitCondition(text = 'not-running'): 'not-running' | 'next-exit' | 'removed' {
  if (text === 'not-running' || text === 'next-exit' || text === 'removed') return text
  throw invalidArgument(`invalid condition: ${JSON.stringify(text)}`)
}
