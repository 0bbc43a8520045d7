/** The repositories of a registry, by `_catalog`, over as many pages as it makes of them. */
import type { RegistryAuth } from '@dockerd-ts/core'
import * as z from 'zod'
import { parse } from '../oci/documents.ts'
import { nextPage } from './pages.ts'
import type { RegistryClients } from './registry-session.ts'

const catalogBody = z.object({ repositories: z.array(z.string()).nullish() })
const pageLimitBytes = 4 * 1024 * 1024
const pageSize = 1000
const maxPages = 100

/** Those whose names have the term in them, at most `limit`. */
export function findRepositories(
  clients: RegistryClients,
  host: string,
  { term, limit, auth }: { term: string; limit: number; auth: RegistryAuth | undefined },
): Promise<string[]> {
  return clients.withSession({ domain: host, path: '' }, { auth, skipMirrors: true }, async (session) => {
    const found: string[] = []
    let next: string | URL | undefined = `_catalog?n=${pageSize}`
    for (let page = 0; next !== undefined && page < maxPages && found.length < limit; page++) {
      const answer = await session.ask({ method: 'GET', path: next, expected: [200], scope: 'registry:catalog:*' })
      const names = parse(catalogBody, await answer.text(pageLimitBytes), 'list of repositories').repositories ?? []
      found.push(...names.filter((name) => name.includes(term)))
      next = names.length === 0 ? undefined : nextPage(answer)
    }
    return found.slice(0, limit)
  })
}
