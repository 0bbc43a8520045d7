/**
 * Which host ports our containers hold, and which to try next. A wildcard binding and one to a single address exclude
 * each other, as they would for sockets. Whether a program of the host has the port is the caller's question.
 */
import { invalidArgument } from '../errors/engine-error.ts'
import type { PortRequest, PublishedPort } from '../ports/networks.ts'

export interface PortRange {
  first: number
  last: number
}

type Protocol = PortRequest['protocol']
type Owners = Map<number, string>

export const isWildcard = (hostIp: string): boolean => hostIp === '0.0.0.0' || hostIp === '::'

export class PortTable {
  /** `tcp 0.0.0.0` → port → owner. */
  readonly #owners = new Map<string, Owners>()
  readonly #ephemeral: PortRange
  /** Where the search for the next ephemeral port begins, so that one just given back is not given out at once. */
  readonly #cursor = new Map<Protocol, number>()

  constructor(ephemeral: PortRange) {
    this.#ephemeral = ephemeral
  }

  isTaken({ protocol, hostIp, hostPort }: Pick<PublishedPort, 'protocol' | 'hostIp' | 'hostPort'>): boolean {
    const isIpv6 = hostIp.includes(':')
    for (const [key, owners] of this.#owners) {
      const [otherProtocol, otherIp = ''] = key.split(' ')
      if (otherProtocol !== protocol || otherIp.includes(':') !== isIpv6) continue
      const excludes = otherIp === hostIp || isWildcard(otherIp) || isWildcard(hostIp)
      if (excludes && owners.has(hostPort)) return true
    }
    return false
  }

  take({ protocol, hostIp, hostPort }: PublishedPort, owner: string): void {
    const key = `${protocol} ${hostIp}`
    const owners = this.#owners.get(key) ?? new Map<number, string>()
    owners.set(hostPort, owner)
    this.#owners.set(key, owners)
  }

  /** Only what the owner still holds: a second release cannot take a successor's port away. True when it was held. */
  release({ protocol, hostIp, hostPort }: PublishedPort, owner: string): boolean {
    const key = `${protocol} ${hostIp}`
    const owners = this.#owners.get(key)
    if (owners?.get(hostPort) !== owner) return false
    owners.delete(hostPort)
    if (owners.size === 0) this.#owners.delete(key)
    return true
  }

  /** The host ports to try, in order: one, a range, or the ephemeral ones from where the last search ended. */
  *candidates(request: Pick<PortRequest, 'protocol' | 'hostPort'>): Generator<number> {
    const range = parseHostPort(request.hostPort)
    if (range !== undefined) {
      for (let port = range.first; port <= range.last; port += 1) yield port
      return
    }
    const { first, last } = this.#ephemeral
    const start = this.#cursor.get(request.protocol) ?? first
    for (let step = 0; step <= last - first; step += 1) {
      const port = first + ((start - first + step) % (last - first + 1))
      this.#cursor.set(request.protocol, port === last ? first : port + 1)
      yield port
    }
  }
}

/** undefined is an ephemeral port. Throws invalidArgument for what is no port. */
export function parseHostPort(text: string): PortRange | undefined {
  if (text === '' || text === '0') return undefined
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const range = { first: Number(first), last: Number(last) }
  if (first === '' || range.first > range.last || range.last > 65535) {
    throw invalidArgument(`invalid port specification: "${text}"`)
  }
  return range
}

/** The addresses that a request means: '' is all of both families. */
export function hostAddresses(hostIp: string, hasIpv6: boolean): string[] {
  if (hostIp === '') return hasIpv6 ? ['0.0.0.0', '::'] : ['0.0.0.0']
  return [hostIp]
}
