/** Legacy links of the default bridge (`HostConfig.Links`): names in /etc/hosts, variables, and how inspect shows them. */
import { internal } from '../errors/engine-error.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import type { ContainerRecord } from './container-record.ts'
import { hasProcess } from './container-state.ts'
import { networkModeOf } from './network-mode.ts'
import { parsePort } from './port-text.ts'

interface Link {
  other: Container
  alias: string
  address: string
}

/** Throws internal in Docker's words for a container that does not run. */
function linksOf(context: ContainerContext, record: ContainerRecord): Link[] {
  if (networkModeOf(record.hostConfig).kind !== 'bridge') return []
  return (record.hostConfig.Links ?? []).flatMap((link) => {
    const [reference = '', alias = reference] = link.split(':')
    // One that was removed is a link no more.
    const other = found(context, reference)
    if (other === undefined) return []
    if (!hasProcess(other.record.status)) {
      throw internal(`Cannot link to a non running container: /${other.record.name} AS /${record.name}/${alias}`)
    }
    const address = context.networks.endpointsOf(other.id).find((endpoint) => endpoint.ipv4 !== undefined)?.ipv4
    return address === undefined ? [] : [{ other, alias, address }]
  })
}

/** As entries of ExtraHosts: one line for each link, with all its names. */
export function linkHosts(context: ContainerContext, record: ContainerRecord): string[] {
  return linksOf(context, record).flatMap(({ other, alias, address }) => {
    const names = new Set([alias, other.record.config.Hostname ?? '', other.record.name])
    return `${[...names].filter((entry) => entry !== '').join(' ')}:${address}`
  })
}

/** `ALIAS_PORT…` for each exposed port, `ALIAS_NAME`, and the other's environment as `ALIAS_ENV_…`. */
export function linkVariables(context: ContainerContext, record: ContainerRecord): string[] {
  return linksOf(context, record).flatMap((link) => {
    const prefix = link.alias.toUpperCase().replaceAll('-', '_')
    return [
      ...portVariables(prefix, link),
      `${prefix}_NAME=/${record.name}/${link.alias}`,
      ...environmentVariables(prefix, link.other.record.config.Env ?? []),
    ]
  })
}

function portVariables(prefix: string, { other, address }: Link): string[] {
  const ports = Object.keys(other.record.config.ExposedPorts ?? {})
    .flatMap((text) => parsePort(text) ?? [])
    .sort((a, b) => a.port - b.port || Number(a.protocol !== 'tcp') - Number(b.protocol !== 'tcp'))
  return ports.flatMap(({ port, protocol }, index) => {
    const name = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
    const url = `${protocol}://${address}:${port}`
    const whole = [`${name}=${url}`, `${name}_ADDR=${address}`, `${name}_PORT=${port}`, `${name}_PROTO=${protocol}`]
    return index === 0 ? [`${prefix}_PORT=${url}`, ...whole] : whole
  })
}

const environmentVariables = (prefix: string, environment: readonly string[]): string[] =>
  environment
    .filter((entry) => entry.includes('=') && !/^(HOME|PATH)=/.test(entry))
    .map((entry) => `${prefix}_ENV_${entry}`)

/** `/other:/own/alias`; null: there are none. */
export function linksView(context: ContainerContext, { name, hostConfig }: ContainerRecord): string[] | null {
  if (!hostConfig.Links?.length) return null
  return hostConfig.Links.flatMap((link) => {
    const [reference = '', alias = reference] = link.split(':')
    const other = found(context, reference)
    return other === undefined ? [] : [`/${other.record.name}:/${name}/${alias}`]
  })
}

function found({ registry }: ContainerContext, reference: string): Container | undefined {
  try {
    return registry.find(reference)
  } catch {
    return undefined
  }
}

/** Container id → its second names, `/parent/alias`, by which others call it. */
export function linkedNames({ registry }: ContainerContext): Map<string, string[]> {
  const names = new Map<string, string[]>()
  for (const { name, hostConfig } of registry.all().map(({ record }) => record)) {
    for (const [id, alias] of (hostConfig.Links ?? []).map(splitLink)) {
      names.set(id, [...(names.get(id) ?? []), `/${name}/${alias}`])
    }
  }
  return names
}

const splitLink = (link: string): [id: string, alias: string] => {
  const [id = '', alias = id] = link.split(':')
  return [id, alias]
}
