/** What many commands do alike. */
import type { Cli } from '../cli.ts'
import type { ApiClient, Query } from '../client/api-client.ts'
import { ExitError, messageOf } from '../exit-error.ts'
import { addFilter, encodeFilters, type Filters } from '../options/filters.ts'
import { cut } from '../options/flags.ts'

const PARALLEL_REQUESTS = 50

/** Path component of an object's name or id. */
export const part = (name: string): string =>
  encodeURIComponent(name).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@')

/** Path of a container. An empty name would address the collection, so it is refused here. */
export function containerPath(name: string): string {
  if (name.trim() === '') throw new ExitError(1, `invalid container name or ID: value is empty`)
  return `/containers/${part(name.trim())}`
}

export interface EachOptions {
  /** What to print when one is done; the name by default. */
  success?: (name: string) => string
  /** How many requests may run at a time. Results are printed in order all the same. */
  parallel?: boolean
}

/** Does the same to every name, prints the names as they are done, and fails at the end with all errors. */
export async function forEach(
  cli: Cli,
  names: readonly string[],
  act: (name: string, api: ApiClient) => Promise<void>,
  options: EachOptions = {},
): Promise<void> {
  const api = await cli.api()
  // The version is settled first, so that parallel requests do not all ask for it.
  await api.version()
  const errors: string[] = []
  const batch = options.parallel ? PARALLEL_REQUESTS : 1
  for (let start = 0; start < names.length; start += batch) {
    const group = names.slice(start, start + batch)
    const outcomes = await Promise.allSettled(group.map((name) => act(name, api)))
    for (const [index, outcome] of outcomes.entries()) {
      const name = group[index] as string
      if (outcome.status === 'fulfilled') cli.out(`${options.success ? options.success(name) : name}\n`)
      else errors.push(messageOf(outcome.reason))
    }
  }
  if (errors.length > 0) throw new ExitError(1, errors.join('\n'))
}

/** Asks on the terminal; only `y` agrees. */
export async function confirm(cli: Cli, question: string): Promise<boolean> {
  cli.out(`${question} [y/N] `)
  const answer = await readLine()
  return answer.trim().toLowerCase() === 'y'
}

export async function readLine(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    text += chunk.toString()
    const end = text.indexOf('\n')
    if (end >= 0) return text.slice(0, end).replace(/\r$/, '')
  }
  return text
}

/** The whole of standard input. */
export async function* stdinChunks(): AsyncGenerator<Buffer, void> {
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) yield chunk
}

/** Orders names as people do: numbers inside them count as numbers. */
export function naturalOrder(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/(\d+)/)) as [string[], string[]]
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const [x = '', y = ''] = [left[index], right[index]]
    if (x === y) continue
    const numbers = index % 2 === 1 && BigInt(x) !== BigInt(y)
    return numbers ? (BigInt(x) < BigInt(y) ? -1 : 1) : x < y ? -1 : 1
  }
  return left.length - right.length
}

/** Sends a prune request; filters given on the command line join those of config.json. */
export async function prune<T>(cli: Cli, path: string, filters: Filters, extra: Query = {}): Promise<T> {
  const configured = (cli.config.pruneFilters as string[] | undefined) ?? []
  let all = filters
  for (const text of configured) {
    const [name, value] = cut(text, '=')
    // What the user says about a label wins over what is configured about it.
    if (name === 'label' && filters['label!']?.[value ?? '']) continue
    if (name === 'label!' && filters.label?.[value ?? '']) continue
    all = addFilter(all, name, value ?? '')
  }
  return (await cli.api()).json<T>('POST', path, { query: { ...extra, filters: encodeFilters(all) ?? extra.filters } })
}
