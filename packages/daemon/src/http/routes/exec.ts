/** Processes executed in containers. */
import { endpoints } from '@dockerd-ts/api'
import { type Engine, invalidArgument } from '@dockerd-ts/core'
import { empty, json, session } from '../replies.ts'
import { type Route, route } from '../route.ts'

const { exec: table } = endpoints

export function execRoutes({ exec }: Engine): Route[] {
  return [
    route(table.create, async ({ params, body }) => {
      if ((body.Cmd?.length ?? 0) === 0) throw invalidArgument('No exec command specified')
      return json(await exec.create(params.id, body))
    }),
    route(table.start, async ({ params, body }) => {
      const started = await exec.start(params.id, body)
      return started === undefined ? empty() : session(started)
    }),
    route(table.resize, async ({ params, query }) => {
      await exec.resize(params.id, { height: query.h, width: query.w })
      return empty()
    }),
    route(table.inspect, async ({ params }) => json(await exec.inspect(params.id))),
  ]
}
