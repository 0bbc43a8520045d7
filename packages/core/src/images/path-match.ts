/** Go's path.Match, which Docker's `reference` filter uses: `*` and `?` stop at slashes, `[a-z]`, `[^a]`, backslash escapes. */
import { invalidArgument } from '../errors/engine-error.ts'
import { familiarName, familiarString, type ImageReference } from './reference.ts'

/** Throws invalidArgument `syntax error in pattern`. */
export function pathPattern(pattern: string): RegExp {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] ?? ''
    if (char === '*') {
      // A run of stars is one: repeated quantifiers could take exponential time.
      while (pattern[at + 1] === '*') at++
      source += '[^/]*'
    } else if (char === '?') source += '[^/]'
    else if (char === '\\') source += escaped(pattern[++at])
    else if (char === '[') {
      const end = classEnd(pattern, at)
      source += classSource(pattern.slice(at + 1, end))
      at = end
    } else source += escaped(char)
  }
  return new RegExp(`^${source}$`, 's')
}

const badPattern = () => invalidArgument('syntax error in pattern')

function escaped(char: string | undefined): string {
  if (char === undefined) throw badPattern()
  return char.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}

function classEnd(pattern: string, start: number): number {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++
    else if (pattern[at] === ']' && at > start + 1 && !(at === start + 2 && pattern[start + 1] === '^')) return at
  }
  throw badPattern()
}

function classSource(body: string): string {
  const negated = body.startsWith('^')
  let source = ''
  let at = negated ? 1 : 0
  const next = (): string => {
    const char = body[at++]
    if (char === '-') throw badPattern()
    const plain = char === '\\' ? body[at++] : char
    if (plain === undefined) throw badPattern()
    return plain
  }
  while (at < body.length) {
    const low = next()
    source += escaped(low)
    if (body[at] !== '-') continue
    at++
    const high = next()
    if (low > high) throw badPattern()
    source += `-${escaped(high)}`
  }
  return `[${negated ? '^' : ''}${source}]`
}

/** True when the pattern matches the reference as shown, with its tag or digest, or its name alone. */
export function matchesReference(pattern: RegExp, reference: ImageReference): boolean {
  return pattern.test(familiarString(reference)) || pattern.test(familiarName(reference))
}
