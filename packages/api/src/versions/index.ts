/** Composes the adapters of all steps between a client's version and the newest. */
import { compareVersions, newestApiVersion } from './api-version.ts'
import * as before46 from './v1.24-1.45.ts'
import * as before52 from './v1.46-1.51.ts'
import { v1_52 } from './v1.52.ts'
import { v1_55 } from './v1.55.ts'
import type { Fields, RequestAdapter, ResponseAdapter, VersionStep } from './version-step.ts'

/** Oldest first. */
const versionSteps: readonly VersionStep[] = [
  ...Object.values(before46),
  ...Object.values(before52),
  v1_52,
  v1_55,
].sort((a, b) => compareVersions(a.version, b.version))

const responseAdapters = new Map<string, ResponseAdapter | null>()
const requestAdapters = new Map<string, RequestAdapter | null>()

/** An answer in the newest shape, as a client of `version` expects it. The value given is not changed. */
export function adaptResponse<T>(operation: string, version: string, value: T): T {
  if (version === newestApiVersion) return value
  const adapter = composed(responseAdapters, operation, version, composeResponse)
  if (adapter === null) return value
  return (Array.isArray(value) ? value.map((entry) => adapter(entry)) : adapter(value as Fields)) as T
}

/** A parsed request of `version`, as its newest form. Changes the query and body that it is given. */
export function adaptRequest(operation: string, version: string, { query, body }: ParsedRequest): void {
  if (version === newestApiVersion) return
  composed(requestAdapters, operation, version, composeRequest)?.({ query, body: (body ?? {}) as Fields })
}

interface ParsedRequest {
  query: Record<string, unknown>
  /** undefined when the endpoint has none. */
  body: unknown
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
