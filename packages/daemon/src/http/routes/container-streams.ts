/** Containers: logs, statistics, attach. */
import { endpoints, isOlder } from '@dockerd-ts/api'
import { type Engine, invalidArgument } from '@dockerd-ts/core'
import { defined } from '../defined.ts'
import { session } from '../replies.ts'
import { type Route, route } from '../route.ts'

const { containers: table } = endpoints

export function containerStreamRoutes({ containers }: Engine): Route[] {
  return [
    route(table.logs, async ({ params, query, version, signal }) => {
      const { since: sinceNs, until: untilNs, tail, ...flags } = query
      if (!flags.stdout && !flags.stderr) {
        throw invalidArgument('Bad parameters: you must choose at least one stream')
      }
      const times = defined({ sinceNs, untilNs, tail: tailLines(tail) })
      const { multiplexed, chunks } = await containers.logs(params.id, { ...flags, ...times, signal })
      const framed = multiplexed && !isOlder(version, '1.42')
      const headers = { 'Content-Type': `application/vnd.docker.${framed ? 'multiplexed' : 'raw'}-stream` }
      return { kind: 'bytes', chunks, headers, early: true, onError: 'end' }
    }),
    route(table.stats, async ({ params, query, signal }) => {
      const { stream, 'one-shot': oneShot } = query
      const values = await containers.stats(params.id, { stream, oneShot, signal })
      if (stream && oneShot) throw invalidArgument('cannot have stream=true and one-shot=true')
      const encode = (value: unknown) => `${JSON.stringify(value)}\n`
      return { kind: 'objects', values, contentType: 'application/json', early: stream, encode }
    }),
    route(table.attach, async ({ params, query: { detachKeys, ...streams } }) =>
      session(await containers.attach(params.id, { ...streams, ...defined({ detachKeys }) })),
    ),
    route(table.attachWebsocket, async ({ params, query: { detachKeys, ...streams } }) =>
      session(await containers.attach(params.id, { ...streams, ...defined({ detachKeys }) })),
    ),
  ]
}

/** Anything but a number, `all` for one, is all of them. */
function tailLines(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
