/** For tests: an engine of which a test gives the methods it needs; every other one throws. */
import type { Engine } from '@dockerd-ts/core'
import { createHttpServer, type HttpServer, type HttpServerOptions } from './server.ts'

export type PartialEngine = { [S in keyof Engine]?: Partial<Engine[S]> }

/** Methods that return a stream, not a promise: they fail at the first value. */
const streams = new Set(['events', 'pull', 'import', 'load', 'push'])

export function fakeEngine(methods: PartialEngine = {}): Engine {
  const services = ['system', 'containers', 'exec', 'images', 'networks', 'volumes'] as const
  return Object.fromEntries(
    services.map((service) => [service, withDefaults(service, methods[service] ?? {})]),
  ) as unknown as Engine
}

function withDefaults(service: string, given: object): object {
  return new Proxy(given, {
    get(target, name) {
      if (name in target) return target[name as keyof typeof target]
      const failure = () => new Error(`${service}.${String(name)} failed`)
      if (!streams.has(String(name))) return () => Promise.reject(failure())
      return async function* () {
        yield* await Promise.reject<never[]>(failure())
      }
    },
  })
}

export interface TestServer extends HttpServer {
  /** What was logged as a fault. */
  readonly faults: unknown[]
}

export function testServer(methods: PartialEngine = {}, options: Partial<HttpServerOptions> = {}): TestServer {
  const faults: unknown[] = []
  const log = { error: (fields: object) => void faults.push((fields as { err: unknown }).err), debug: () => {} }
  const server = createHttpServer({ engine: fakeEngine(methods), log, serverVersion: '1.0.0', ...options })
  return { ...server, faults }
}
