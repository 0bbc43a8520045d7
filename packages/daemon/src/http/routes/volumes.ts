/** Volumes. */
import { endpoints } from '@dockerd-ts/api'
import type { Engine } from '@dockerd-ts/core'
import { empty, json } from '../replies.ts'
import { type Route, route } from '../route.ts'

const { volumes: table } = endpoints

export function volumeRoutes({ volumes }: Engine): Route[] {
  return [
    route(table.list, async ({ query }) => json(await volumes.list(query.filters))),
    route(table.create, async ({ body }) => json(await volumes.create(body))),
    route(table.inspect, async ({ params }) => json(await volumes.inspect(params.name))),
    route(table.delete, async ({ params, query }) => {
      await volumes.remove(params.name, { force: query.force })
      return empty()
    }),
    route(table.prune, async ({ query }) => json(await volumes.prune(query.filters))),
  ]
}
