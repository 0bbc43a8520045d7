/** Port mappings (`-p`, `--expose`) in Docker's short and long forms. */
import { isIP } from 'node:net'
import { cut } from './flags.ts'

interface PortBinding {
  HostIp: string
  HostPort: string
}

export interface Ports {
  exposed: Record<string, Record<string, never>>
  bindings: Record<string, PortBinding[]>
}

const MAX_PORT = 65_535

/** Adds every port of every `-p` to the result. Throws on a mapping that cannot be understood. */
export function parsePublished(specs: readonly string[]): Ports {
  const ports: Ports = { exposed: {}, bindings: {} }
  for (const spec of specs) addPublished(ports, spec.includes('=') ? fromLongForm(spec) : spec)
  return ports
}

export function addExposed(ports: Ports, spec: string): void {
  if (spec.includes(':')) throw new Error(`invalid port format for --expose: ${spec}`)
  const [range, protocol = 'tcp'] = cut(spec, '/')
  let parsed: Range
  try {
    parsed = parseRange(range)
  } catch (error) {
    throw new Error(`invalid range format for --expose: ${spec}, error: ${(error as Error).message}`)
  }
  for (let port = parsed.start; port <= parsed.end; port++) ports.exposed[`${port}/${protocol.toLowerCase()}`] ??= {}
}

/** `target=80,published=8080,protocol=tcp` -> `8080:80/tcp`. Other keys are let pass, as Docker lets them. */
function fromLongForm(spec: string): string {
  const fields: Record<string, string> = {}
  for (const field of spec.split(',')) {
    const [key, value] = cut(field, '=')
    if (value === undefined || key === '')
      throw new Error(`invalid publish opts format (should be name=value but got '${field}')`)
    fields[key] = value
  }
  return `${fields.published ?? ''}:${fields.target ?? ''}/${fields.protocol ?? 'tcp'}`
}

interface Range {
  start: number
  end: number
}

function addPublished(ports: Ports, spec: string): void {
  const { ip, hostPort, containerPort } = splitParts(spec)
  const [range, given] = cut(containerPort, '/')
  const protocol = given || 'tcp'
  if (ip.startsWith('[') && !ip.endsWith(']'))
    throw new Error(`invalid IP address ${ip}: address ${ip}:: missing ']' in address`)
  const address = ip.startsWith('[') ? ip.slice(1, -1) : ip
  if (address !== '' && isIP(address) === 0) throw new Error(`invalid IP address: ${ip}`)
  if (range === '') throw new Error(`no port specified: ${spec}<empty>`)
  const container = rangeOr(range, () => `invalid containerPort: ${range}`)
  const host = hostPort === '' ? undefined : rangeOr(hostPort, () => `invalid hostPort: ${hostPort}`)
  const count = container.end - container.start
  // One container port may be given a range of host ports to choose from.
  const choose = host !== undefined && count === 0 && host.end > host.start
  if (host && !choose && host.end - host.start !== count)
    throw new Error(`invalid ranges specified for container and host Ports: ${range} and ${hostPort}`)
  if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) throw new Error(`invalid proto: ${protocol}`)
  for (let index = 0; index <= count; index++) {
    const name = `${container.start + index}/${protocol.toLowerCase()}`
    const published = host === undefined ? '' : choose ? `${host.start}-${host.end}` : String(host.start + index)
    ports.exposed[name] ??= {}
    ports.bindings[name] = [...(ports.bindings[name] ?? []), { HostIp: address, HostPort: published }]
  }
}

function splitParts(spec: string): { ip: string; hostPort: string; containerPort: string } {
  const parts = spec.split(':')
  const containerPort = parts.at(-1) ?? ''
  if (parts.length === 1) return { ip: '', hostPort: '', containerPort }
  if (parts.length === 2) return { ip: '', hostPort: parts[0] ?? '', containerPort }
  return { ip: parts.slice(0, -2).join(':'), hostPort: parts.at(-2) ?? '', containerPort }
}

function rangeOr(text: string, message: () => string): Range {
  try {
    return parseRange(text)
  } catch {
    throw new Error(message())
  }
}

function parseRange(text: string): Range {
  if (text === '') throw new Error('empty string specified for ports')
  const [first, last] = cut(text, '-')
  const start = parsePort(first)
  const end = last === undefined ? start : parsePort(last)
  if (end < start) throw new Error(`invalid range specified for port: ${text}`)
  return { start, end }
}

function parsePort(text: string): number {
  const quoted = JSON.stringify(text)
  if (!/^\d+$/.test(text)) throw new Error(`strconv.ParseUint: parsing ${quoted}: invalid syntax`)
  const port = Number(text)
  if (port > MAX_PORT) throw new Error(`strconv.ParseUint: parsing ${quoted}: value out of range`)
  return port
}
