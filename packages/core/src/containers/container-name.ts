/** Names of containers: which are allowed, and the ones the engine makes up. */
import { randomInt } from 'node:crypto'
import { invalidArgument } from '../errors/engine-error.ts'
import { shortId } from '../support/ids.ts'
import { adjectives, surnames } from './name-words.ts'

/** Answers the name without its slash. Throws invalidArgument; `shown` is the name as the message quotes it. */
export function checkName(name: string, shown = name): string {
  const bare = name.replace(/^\//, '')
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(bare)) return bare
  throw invalidArgument(`Invalid container name (${shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
}

/** adjective_surname; with a digit after the first try; the short id when luck fails six times. */
export function inventName(id: string, isTaken: (name: string) => boolean, random = randomInt): string {
  const pick = (words: readonly string[]) => words[random(words.length)] ?? ''
  for (let attempt = 0; attempt < 6; attempt++) {
    const name = `${pick(adjectives)}_${pick(surnames)}${attempt === 0 ? '' : random(10)}`
    if (!isTaken(name)) return name
  }
  return shortId(id)
}
