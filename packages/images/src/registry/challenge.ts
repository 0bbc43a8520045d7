/** WWW-Authenticate headers: `Bearer realm="…",service="…",scope="…"`, `Basic realm="…"`. */

export interface Challenge {
  /** In lower case. */
  scheme: string
  parameters: Readonly<Record<string, string>>
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const parameter = new RegExp(`^\\s*(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))\\s*(,|$)`)
const scheme = new RegExp(`^[\\s,]*(${token})(?:\\s+|$)`)
const maxLength = 16 * 1024

/** What can't be read is left out. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  let rest = header.slice(0, maxLength)
  for (let start = scheme.exec(rest); start !== null; start = scheme.exec(rest)) {
    rest = rest.slice(start[0].length)
    const parameters: Record<string, string> = {}
    for (let match = parameter.exec(rest); match !== null; match = parameter.exec(rest)) {
      rest = rest.slice(match[0].length)
      parameters[(match[1] ?? '').toLowerCase()] = (match[2] ?? match[3] ?? '').replace(/\\(.)/g, '$1')
    }
    challenges.push({ scheme: (start[1] ?? '').toLowerCase(), parameters })
  }
  return challenges
}
