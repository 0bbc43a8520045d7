/** All routes: the table's endpoints with their handlers, and the operations that are refused. */
import { type UnservedOperation, unservedOperations } from '@dockerd-ts/api'
import { type Engine, EngineError } from '@dockerd-ts/core'
import type { ServerFacts } from '../negotiation.ts'
import type { Route } from '../route.ts'
import { archiveRoutes } from './archives.ts'
import { containerStreamRoutes } from './container-streams.ts'
import { containerRoutes } from './containers.ts'
import { execRoutes } from './exec.ts'
import { imageRoutes } from './images.ts'
import { networkRoutes } from './networks.ts'
import { systemRoutes } from './system.ts'
import { volumeRoutes } from './volumes.ts'

export function allRoutes(engine: Engine, facts: ServerFacts): Route[] {
  return [
    ...systemRoutes(engine, facts),
    ...containerRoutes(engine),
    ...containerStreamRoutes(engine),
    ...archiveRoutes(engine),
    ...execRoutes(engine),
    ...imageRoutes(engine),
    ...networkRoutes(engine),
    ...volumeRoutes(engine),
    ...unservedOperations.map(refusal),
  ]
}

function refusal({ operation, method, path, kind, message }: UnservedOperation): Route {
  return {
    endpoint: { operation, method: method as Route['endpoint']['method'], path, transport: 'json' },
    handle: ({ params }) => {
      const { name = '' } = params as Record<string, string>
      throw new EngineError(kind, message.replace('{name}', name))
    },
  }
}
