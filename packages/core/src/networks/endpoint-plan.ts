/** What a container's settings ask of one network, the same at a start and where a running container is connected. Pure. */
import type * as wire from '@dockerd-ts/api'
import { internal } from '../errors/engine-error.ts'
import type { EndpointPlan } from '../ports/networks.ts'
import { shortId } from '../support/ids.ts'

interface Named {
  id: string
  name: string
  hostname: string
}

/** Docker says it when the endpoint comes up. */
function checkLinks(links: readonly string[]): void {
  for (const link of links) {
    if (link === '') throw internal('empty string specified for links')
    const [name = '', alias = name, ...rest] = link.split(':')
    if (name === '' || alias === '' || rest.length > 0) throw internal(`bad format for links: ${link}`)
  }
}

const sysctlOption = 'com.docker.network.endpoint.sysctls'

/** `net.X.Y.IFNAME.Z=value,…`: settings of the interface, whose name is known when the endpoint is planned. */
function interfaceSysctls(options: wire.EndpointSettings['DriverOpts']): Record<string, string> {
  const text = options?.[sysctlOption] ?? ''
  const entries = text === '' ? [] : text.split(',')
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=')
      const name = entry.slice(0, Math.max(at, 0))
      if (!/^net\.[^.]+\.[^.]+\.IFNAME\.[^.]+$/.test(name)) {
        throw internal(`invalid endpoint sysctl setting: ${entry}: expected net.X.Y.IFNAME.Z=value`)
      }
      return [name, entry.slice(at + 1)]
    }),
  )
}

/** `aa-bb-…` and `aabb.ccdd.…` are the same address. */
function canonicalMac(text: string): string {
  const digits = text.toLowerCase().replace(/[^0-9a-f]/g, '')
  return (digits.match(/../g) ?? []).join(':')
}

/** On networks of the user's a container answers to its name, aliases, short id and hostname. */
export function endpointPlan(container: Named, network: string, settings: wire.EndpointSettings): EndpointPlan {
  const { IPv4Address: ipv4Address, IPv6Address: ipv6Address, LinkLocalIPs: linkLocal } = settings.IPAMConfig ?? {}
  checkLinks(settings.Links ?? [])
  const sysctls = interfaceSysctls(settings.DriverOpts)
  const names = [container.name, ...(settings.Aliases ?? []), shortId(container.id), container.hostname]
  return {
    network,
    ...(ipv4Address && { ipv4Address }),
    ...(ipv6Address && { ipv6Address }),
    ...(linkLocal?.length && { linkLocalAddresses: linkLocal.filter((address) => address !== '') }),
    ...(settings.MacAddress && { mac: canonicalMac(settings.MacAddress) }),
    aliases: [...new Set(names.filter((name) => name !== ''))],
    ...(settings.GwPriority !== undefined && { gwPriority: settings.GwPriority }),
    ...(Object.keys(sysctls).length > 0 && { sysctls }),
  }
}
