/** Networks in the API's shapes, and the filters of their list. Pure. */
import type * as wire from '@dockerd-ts/api'
import type { Filters } from '../engine.ts'
import { invalidArgument } from '../errors/engine-error.ts'
import type { EndpointRow, NetworkRow } from '../ports/networks.ts'
import { parseTimestamp, rfc3339Nano } from '../support/go-time.ts'
import { builtInNetworks } from './network-rules.ts'

export function networkSummary(row: NetworkRow): wire.NetworkSummary {
  const config = row.ipam.config.map((entry) => ({
    Subnet: entry.subnet,
    ...(entry.ipRange !== undefined && { IPRange: entry.ipRange }),
    ...(entry.gateway !== undefined && { Gateway: entry.gateway }),
    ...(entry.auxiliaryAddresses !== undefined && { AuxiliaryAddresses: entry.auxiliaryAddresses }),
  }))
  return {
    Name: row.name,
    Id: row.id,
    Created: rfc3339Nano(row.createdAtNs),
    Scope: row.scope,
    Driver: row.driver,
    EnableIPv4: row.enableIPv4,
    EnableIPv6: row.enableIPv6,
    IPAM: { Driver: row.ipam.driver, Options: row.ipam.options, Config: config.length > 0 ? config : null },
    Internal: row.internal,
    Attachable: row.attachable,
    Ingress: row.ingress,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Options: row.options,
    Labels: row.labels,
  }
}

export function endpointResource(containerName: string, endpoint: EndpointRow): wire.EndpointResource {
  return {
    Name: containerName,
    EndpointID: endpoint.endpointId,
    MacAddress: endpoint.mac,
    IPv4Address: cidr(endpoint.ipv4, endpoint.ipv4PrefixLength),
    IPv6Address: cidr(endpoint.ipv6, endpoint.ipv6PrefixLength),
  }
}

const cidr = (address: string | undefined, prefixLength: number | undefined): string =>
  address === undefined ? '' : `${address}/${prefixLength ?? ''}`

/** Answers a test of one network. Throws invalidArgument for values that a filter does not know. */
export function networkFilter(
  filters: Filters,
  { isUsed, nowNs }: { isUsed: (id: string) => boolean; nowNs: bigint },
): (row: NetworkRow) => boolean {
  const tests: ((row: NetworkRow) => boolean)[] = []
  const anyOf = (key: string, test: (row: NetworkRow, value: string) => boolean) => {
    const values = filters[key]
    if (values !== undefined && values.length > 0) tests.push((row) => values.some((value) => test(row, value)))
  }
  anyOf('driver', (row, value) => row.driver === value)
  anyOf('scope', (row, value) => row.scope === value)
  anyOf('id', (row, value) => matchesText(row.id, value))
  anyOf('name', (row, value) => matchesText(row.name, value))
  const types = (filters.type ?? []).map(parseType)
  if (types.length > 0) tests.push((row) => types.includes(builtInNetworks.has(row.name)))
  const dangling = (filters.dangling ?? []).map(parseDangling)[0]
  if (dangling !== undefined) {
    tests.push((row) => dangling === (!builtInNetworks.has(row.name) && !isUsed(row.id)))
  }
  for (const label of filters.label ?? []) tests.push(({ labels }) => hasLabel(labels, label))
  for (const label of filters['label!'] ?? []) tests.push(({ labels }) => !hasLabel(labels, label))
  const until = filters.until?.[0]
  if (until !== undefined) {
    const untilNs = parseTimestamp(until, nowNs)
    tests.push(({ createdAtNs }) => BigInt(createdAtNs) <= untilNs)
  }
  return (row) => tests.every((test) => test(row))
}

/** Docker matches names and ids as regular expressions; what is none is compared as text. */
function matchesText(text: string, pattern: string): boolean {
  if (text === pattern) return true
  try {
    return new RegExp(pattern).test(text)
  } catch {
    return false
  }
}

function parseType(value: string): boolean {
  if (value !== 'builtin' && value !== 'custom') throw invalidArgument(`invalid filter: 'type'='${value}'`)
  return value === 'builtin'
}

function parseDangling(value: string): boolean {
  if (/^(1|true)$/.test(value)) return true
  if (/^(0|false)$/.test(value)) return false
  throw invalidArgument(`invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`)
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const at = wanted.indexOf('=')
  return at < 0 ? wanted in labels : labels[wanted.slice(0, at)] === wanted.slice(at + 1)
}
