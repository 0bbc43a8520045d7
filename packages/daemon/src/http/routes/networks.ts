/** Networks. */
import { endpoints } from '@dockerd-ts/api'
import type { Engine } from '@dockerd-ts/core'
import { defined } from '../defined.ts'
import { empty, json } from '../replies.ts'
import { type Route, route } from '../route.ts'

const { networks: table } = endpoints

export function networkRoutes({ networks }: Engine): Route[] {
  return [
    route(table.list, async ({ query }) => json(await networks.list(query.filters))),
    route(table.inspect, async ({ params, query: { verbose, scope } }) =>
      json(await networks.inspect(params.id, { verbose, ...defined({ scope }) })),
    ),
    route(table.create, async ({ body }) => json(await networks.create(body))),
    route(table.connect, async ({ params, body }) => {
      await networks.connect(params.id, body)
      return empty()
    }),
    route(table.disconnect, async ({ params, body }) => {
      await networks.disconnect(params.id, body)
      return empty()
    }),
    route(table.delete, async ({ params }) => {
      await networks.remove(params.id)
      return empty()
    }),
    route(table.prune, async ({ query }) => json(await networks.prune(query.filters))),
  ]
}
