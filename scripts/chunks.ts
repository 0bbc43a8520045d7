/**
 * The chunks of a build are named after their content and loaded when they are first needed, by a daemon that may have
 * been started before the last build. So those of the build before are kept; what is older goes.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Names, one a line. */
const lists = { current: 'current', previous: 'previous' }

/** `outputs` are the paths of all that the build made, chunks among them. To be called after each build. */
export function forgetOldChunks(directory: string, outputs: readonly string[]): void {
  const chunks = join(directory, 'chunks')
  mkdirSync(chunks, { recursive: true })
  const current = outputs
    .filter((path) => path.includes('chunks/') && path.endsWith('.js'))
    .map((path) => basename(path))
  const there = readdirSync(chunks)
  const last = read(join(chunks, lists.current)) ?? there
  // The build before this one; an equal build takes nobody's place.
  const previous = isSame(current, last) ? (read(join(chunks, lists.previous)) ?? []) : last
  const kept = new Set([...current, ...previous])
  for (const name of there) if (!kept.has(name.replace(/\.map$/, ''))) rmSync(join(chunks, name))
  for (const [list, names] of [
    [lists.previous, previous.filter((name) => name.endsWith('.js'))],
    [lists.current, current],
  ] as const) {
    writeFileSync(join(chunks, list), names.map((name) => `${name}\n`).join(''))
  }
}

const read = (list: string): string[] | undefined =>
  existsSync(list) ? readFileSync(list, 'utf8').split('\n').filter(Boolean) : undefined

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((name) => other.includes(name))
