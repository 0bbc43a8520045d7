/** `GET /images/search`: Docker Hub's search, that of a registry that still has one, or else its list of repositories. */
import { type Filters, internal, invalidArgument, type RegistryAuth } from '@dockerd-ts/core'
import * as z from 'zod'
import { parse } from '../oci/documents.ts'
import type { WireSearchItem } from '../wire-types.ts'
import { isInsecure } from './endpoints.ts'
import { HttpClient } from './http-client.ts'
import { RegistryError } from './registry-error.ts'
import type { RegistryOptions } from './registry-options.ts'
import type { RegistryClients } from './registry-session.ts'
import { findRepositories } from './repository-list.ts'

const searchBody = z.object({
  results: z
    .array(
      z.object({
        name: z.string().default(''),
        description: z.string().nullish(),
        star_count: z.number().default(0),
        is_official: z.boolean().default(false),
        is_automated: z.boolean().default(false),
      }),
    )
    .default([]),
})

const answerLimitBytes = 4 * 1024 * 1024
const filterKeys = new Set(['is-automated', 'is-official', 'stars'])

export interface SearchQuery {
  term: string
  limit?: number
  filters: Filters
  auth?: RegistryAuth
}

/** What says that there is no search. */
const noSearch = new Set([400, 404, 405, 410, 501])

export async function searchImages(
  clients: RegistryClients,
  options: RegistryOptions,
  query: SearchQuery,
): Promise<WireSearchItem[]> {
  const limit = query.limit ?? 25
  if (limit < 1 || limit > 100) throw invalidArgument(`limit ${limit} is outside the range of [1, 100]`)
  const wanted = searchFilter(query.filters)
  const { host, term } = splitTerm(query.term)
  const insecure = host !== hubHost && (await isInsecure(host, options.insecureRegistries))
  const base = `${insecure ? 'http' : 'https'}://${host}`
  const client = await HttpClient.open({ base, mirror: false, insecure }, options)
  try {
    const url = new URL(`${base}/v1/search?${new URLSearchParams({ q: term, n: String(limit) })}`)
    const answer = await client.send({ method: 'GET', url, headers: credentials(query.auth) })
    const body = await answer.text(answerLimitBytes)
    const { status } = answer
    if (host !== hubHost && noSearch.has(status)) {
      const names = await findRepositories(clients, host, { term, limit, auth: query.auth }).catch((error) => {
        // Neither search nor list: the answer to the search is what is told.
        throw error instanceof RegistryError && noSearch.has(error.status)
          ? internal(`Unexpected status code ${status}`, error)
          : error
      })
      return names.map(plainItem).filter(wanted)
    }
    if (status !== 200) throw internal(`Unexpected status code ${status}`)
    return parse(searchBody, body, 'search result')
      .results.map((item) => ({ ...item, description: item.description ?? '' }))
      .filter(wanted)
      .slice(0, limit)
  } finally {
    await client.close()
  }
}

/** A list of repositories says nothing else of them. */
const plainItem = (name: string): WireSearchItem => ({
  name,
  description: '',
  star_count: 0,
  is_official: false,
  is_automated: false,
})

const hubHost = 'index.docker.io'

/** `host/term` asks another registry. */
function splitTerm(text: string): { host: string; term: string } {
  if (/^[a-z]+:\/\//i.test(text))
    throw invalidArgument(`invalid repository name: repository name (${text}) should not have a scheme`)
  const slash = text.indexOf('/')
  const first = text.slice(0, Math.max(slash, 0))
  const isHost = slash > 0 && (/[.:]/.test(first) || first === 'localhost') && first !== 'docker.io'
  if (isHost && first !== hubHost) return { host: first, term: text.slice(slash + 1) }
  return { host: hubHost, term: text.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '') }
}

function searchFilter(filters: Filters): (item: WireSearchItem) => boolean {
  const unknown = Object.keys(filters).find((key) => !filterKeys.has(key))
  if (unknown !== undefined) throw invalidArgument(`invalid filter '${unknown}'`)
  const flag = (key: string): boolean | undefined => {
    const value = filters[key]?.[0]
    if (value !== undefined && !['true', 'false', '1', '0'].includes(value)) {
      throw invalidArgument(`invalid filter '${key}=[${value}]'`)
    }
    return value === undefined ? undefined : value === 'true' || value === '1'
  }
  const official = flag('is-official')
  const automated = flag('is-automated')
  const stars = Math.max(
    0,
    ...(filters.stars ?? []).map((value) => {
      if (!/^\d+$/.test(value))
        throw invalidArgument(
          `invalid filter 'stars=${value}': strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`,
        )
      return Number(value)
    }),
  )
  return (item) =>
    (official === undefined || item.is_official === official) &&
    (automated === undefined || item.is_automated === automated) &&
    item.star_count >= stars
}

function credentials(auth: RegistryAuth | undefined): Record<string, string> {
  if (!auth?.username || auth.password === undefined) return {}
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` }
}
