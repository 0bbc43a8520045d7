/** Published ports as listings show them: equal mappings of neighbouring ports are written as a range. */
import type { Port } from '../client/wire.ts'

export function displayPorts(ports: readonly Port[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compare(a.IP ?? '', b.IP ?? '') ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      compare(a.Type, b.Type),
  )
  const open = new Map<string, Range>()
  const finished: string[] = []
  const translated: string[] = []
  for (const port of sorted) {
    if (port.IP && port.PublicPort !== port.PrivatePort) {
      translated.push(`${joinHostPort(port.IP, String(port.PublicPort ?? 0))}->${port.PrivatePort}/${port.Type}`)
      continue
    }
    const key = `${port.IP ?? ''}/${port.Type}`
    const range = open.get(key)
    if (range && port.PrivatePort === range.last + 1) {
      range.last = port.PrivatePort
      continue
    }
    if (range) finished.push(show(range))
    open.set(key, { ip: port.IP ?? '', type: port.Type, first: port.PrivatePort, last: port.PrivatePort })
  }
  return [...finished, ...[...open.values()].map(show), ...translated].join(', ')
}

interface Range {
  ip: string
  type: string
  first: number
  last: number
}

function show({ ip, type, first, last }: Range): string {
  const ports = first === last ? String(first) : `${first}-${last}`
  return ip === '' ? `${ports}/${type}` : `${joinHostPort(ip, ports)}->${ports}/${type}`
}

export function joinHostPort(host: string, port: string): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
