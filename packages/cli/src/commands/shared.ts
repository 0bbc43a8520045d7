/** What many commands do alike. */
import type { Cli } from '../cli.ts'
import type { ApiClient } from '../client/api-client.ts'
import { ExitError, messageOf } from '../command.ts'

const PARALLEL_REQUESTS = 50

/** Path component of an object's name or id. */
export const part = (name: string): string => encodeURIComponent(name).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@')

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
export async function forEach(cli: Cli, names: readonly string[], act: (name: string, api: ApiClient) => Promise<void>, options: EachOptions = {}): Promise<void> {
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

/** Asks on the terminal; only `y` and `yes` agree. */
export async function confirm(cli: Cli, question: string): Promise<boolean> {
  cli.out(`${question} [y/N] `)
  const answer = await readLine()
  return /^y(es)?$/i.test(answer.trim())
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
