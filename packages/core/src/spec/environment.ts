/** The environment of a container's process, in Docker's order and with its rules for overriding. */

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface EnvironmentInput {
  hostname?: string | undefined
  terminal: boolean
  /** Variables of legacy links, before the configured ones. */
  linkVariables?: readonly string[]
  /** `Config.Env`: the image's and the user's, merged. */
  configured: readonly string[]
}

/** PATH, HOSTNAME, TERM (with a terminal), link variables, then the configured ones, which override by name. */
export function containerEnvironment(input: EnvironmentInput): string[] {
  const base = [`PATH=${defaultPath}`, `HOSTNAME=${input.hostname ?? ''}`]
  if (input.terminal) base.push('TERM=xterm')
  return overrideEnvironment([...base, ...(input.linkVariables ?? [])], input.configured)
}

/**
 * Sets each override at its name's place in `base`, or at the end. An override without `=` removes the variable, as
 * `-e NAME` does when the client has no such variable.
 */
export function overrideEnvironment(base: readonly string[], overrides: readonly string[]): string[] {
  const variables = new Map<string, string | undefined>(base.map((entry) => [nameOf(entry), entry]))
  for (const entry of overrides) {
    // The place of a removed name is kept, so setting it again later keeps Docker's order.
    variables.set(nameOf(entry), entry.includes('=') ? entry : undefined)
  }
  return [...variables.values()].filter((entry) => entry !== undefined)
}

function nameOf(entry: string): string {
  const separator = entry.indexOf('=')
  return separator === -1 ? entry : entry.slice(0, separator)
}
