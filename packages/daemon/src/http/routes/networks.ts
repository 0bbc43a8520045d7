/** Networks. */
import { endpoints, isOlder } from '@dockerd-ts/api'
import type { Engine } from '@dockerd-ts/core'
import { defined } from '../defined.ts'
import { empty, json } from '../replies.ts'
import { type Route, route } from '../route.ts'

const { networks: table } = endpoints

export function networkRoutes({ networks }: Engine): Route[] {
  return [
    route(table.list, async ({ query, version }) => {
      const list = await networks.list(query.filters)
      // Containers were part of the list, too.
      if (!isOlder(version, '1.28')) return json(list)
      return json(await Promise.all(list.map(({ Id }) => networks.inspect(Id, { verbose: false }))))
    }),
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
