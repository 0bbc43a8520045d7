/** Where a repository's registry is: mirrors first, then the registry itself, by HTTPS or, where it may, plain HTTP. */
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import type { ImageReference } from '@dockerd-ts/core'

export interface Endpoint {
  /** `https://registry-1.docker.io`, without a slash at the end. */
  base: string
  mirror: boolean
  /** Certificates are not checked, and credentials may go over plain HTTP. */
  insecure: boolean
}

const hubDomain = 'docker.io'
const hubRegistry = 'https://registry-1.docker.io'

export async function endpointsOf(
  { domain }: Pick<ImageReference, 'domain'>,
  options: { mirrors: readonly string[]; insecureRegistries: readonly string[] },
): Promise<Endpoint[]> {
  const mirrors = await Promise.all(
    mirrorsOf(domain, options.mirrors).map((mirror) => mirrorEndpoint(mirror, options.insecureRegistries)),
  )
  if (domain === hubDomain) return [...mirrors, { base: hubRegistry, mirror: false, insecure: false }]
  if (!(await isInsecure(domain, options.insecureRegistries))) {
    return [...mirrors, { base: `https://${domain}`, mirror: false, insecure: false }]
  }
  const own = [`https://${domain}`, `http://${domain}`].map((base) => ({ base, mirror: false, insecure: true }))
  return [...mirrors, ...own]
}

/** `https://mirror` is one of Docker Hub, as dockerd has it; `ghcr.io=https://mirror` one of that registry. */
export function splitMirror(mirror: string): { domain: string; base: string } {
  const named = /^([^=/?#]+)=(.*)$/.exec(mirror)
  return { domain: named?.[1] ?? hubDomain, base: named?.[2] ?? mirror }
}

const mirrorsOf = (domain: string, mirrors: readonly string[]): string[] =>
  mirrors
    .map(splitMirror)
    .filter((mirror) => mirror.domain === domain)
    .map(({ base }) => base)

async function mirrorEndpoint(mirror: string, insecureRegistries: readonly string[]): Promise<Endpoint> {
  const base = mirror.replace(/\/+$/, '')
  return { base, mirror: true, insecure: await isInsecure(new URL(base).host, insecureRegistries) }
}

/** Named so, in a named network, or on this machine: by its address or by the address of its name. */
export async function isInsecure(domain: string, insecureRegistries: readonly string[]): Promise<boolean> {
  if (insecureRegistries.includes(domain)) return true
  const networks = networkList(insecureRegistries)
  return (await addressesOf(domain)).some((address) => networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
}

function networkList(insecureRegistries: readonly string[]): BlockList {
  const networks = new BlockList()
  networks.addSubnet('127.0.0.0', 8, 'ipv4')
  networks.addAddress('::1', 'ipv6')
  for (const entry of insecureRegistries) {
    const [address = '', prefix] = entry.split('/')
    const version = isIP(address)
    if (version !== 0 && prefix !== undefined)
      networks.addSubnet(address, Number(prefix), version === 6 ? 'ipv6' : 'ipv4')
  }
  return networks
}

async function addressesOf(domain: string): Promise<string[]> {
  const host = domain.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) !== 0) return [host]
  // A name that can't be looked up now fails with a better text when it is dialled.
  return lookup(host, { all: true }).then(
    (found) => found.map(({ address }) => address),
    () => [],
  )
}
