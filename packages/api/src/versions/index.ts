/** Composes the adapters of all steps between a client's version and the newest. */
import { compareVersions, newestApiVersion } from './api-version.ts'
import { type RequestAdapter, type ResponseAdapter, versionSteps } from './steps.ts'

const responseAdapters = new Map<string, ResponseAdapter | null>()
const requestAdapters = new Map<string, RequestAdapter | null>()

/** An answer in the newest shape, as a client of `version` expects it. The value given is not changed. */
export function adaptResponse<T>(operation: string, version: string, value: T): T {
  if (version === newestApiVersion) return value
  const adapter = composed(responseAdapters, operation, version, composeResponse)
  return adapter === null ? value : (adapter(value) as T)
}

/** A parsed request of `version`, as its newest form. Changes the query and body that it is given. */
export function adaptRequest(operation: string, version: string, request: Parameters<RequestAdapter>[0]): void {
  if (version === newestApiVersion) return
  composed(requestAdapters, operation, version, composeRequest)?.(request)
}

function composed<A>(
  cache: Map<string, A | null>,
  operation: string,
  version: string,
  compose: (operation: string, version: string) => A | null,
): A | null {
  const key = `${version} ${operation}`
  let adapter = cache.get(key)
  if (adapter === undefined) {
    adapter = compose(operation, version)
    cache.set(key, adapter)
  }
  return adapter
}

/** Newest step first: each takes the answer one step down. */
function composeResponse(operation: string, version: string): ResponseAdapter | null {
  const steps = newerThan(version)
    .reverse()
    .flatMap((step) => step.responses?.[operation] ?? [])
  if (steps.length === 0) return null
  return (value) => steps.reduce((current, adapt) => adapt(current), value)
}

/** Oldest step first: each takes the request one step up. */
function composeRequest(operation: string, version: string): RequestAdapter | null {
  const steps = newerThan(version).flatMap((step) => step.requests?.[operation] ?? [])
  if (steps.length === 0) return null
  return (request) => {
    for (const adapt of steps) adapt(request)
  }
}

function newerThan(version: string) {
  return versionSteps.filter((step) => compareVersions(step.version, version) > 0)
}
