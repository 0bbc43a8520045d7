/**
 * Finds the operation that a request's path names. A path parameter takes slashes (`/images/docker.io/library/x/json`),
 * so fixed suffixes decide; a path without parameters wins over one with.
 */
import { servedEndpoints } from './index.ts'
import { unservedOperations } from './unserved.ts'

export interface PathMatch {
  readonly operation: string
  readonly params: Readonly<Record<string, string>>
}

interface Route {
  operation: string
  pattern: RegExp
  names: readonly string[]
  staticLength: number
}

const noParams: Readonly<Record<string, string>> = Object.freeze({})
const fixed = new Map<string, PathMatch>()
/** By method and first path segment. */
const patterned = new Map<string, Route[]>()

for (const { method, path, operation } of [...servedEndpoints, ...unservedOperations]) addRoute(method, path, operation)
// Docker serves the list of networks with a trailing slash, too.
addRoute('GET', '/networks/', 'NetworkList')

function addRoute(method: string, path: string, operation: string): void {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string)
  if (names.length === 0) {
    fixed.set(`${method} ${path}`, { operation, params: noParams })
    return
  }
  const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '(.+)')}$`, 's')
  const key = `${method} ${firstSegment(path)}`
  const routes = patterned.get(key) ?? []
  routes.push({ operation, pattern, names, staticLength: path.replaceAll(/\{\w+\}/g, '').length })
  // The longest fixed text is tried first: DELETE /images/{name} must not take what a longer path means.
  routes.sort((a, b) => b.staticLength - a.staticLength)
  patterned.set(key, routes)
}

function firstSegment(path: string): string {
  const end = path.indexOf('/', 1)
  return end === -1 ? path : path.slice(0, end)
}

/** `path` is decoded and without the version prefix. undefined: no such page, or not with this method. */
export function matchPath(method: string, path: string): PathMatch | undefined {
  const exact = fixed.get(`${method} ${path}`)
  if (exact !== undefined) return exact
  for (const { operation, pattern, names } of patterned.get(`${method} ${firstSegment(path)}`) ?? []) {
    const match = pattern.exec(path)
    if (match === null) continue
    return { operation, params: Object.fromEntries(names.map((name, index) => [name, match[index + 1] as string])) }
  }
  return undefined
}
