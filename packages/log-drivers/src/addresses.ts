/** Addresses of log targets, `proto://host:port` or `unix:///path`. */

export interface ParsedAddress {
  protocol: string
  host: string
  /** undefined: none was given. */
  port: number | undefined
  path: string
}

/** undefined: not of this form. IPv6 addresses stand in brackets. */
export function parseAddress(text: string): ParsedAddress | undefined {
  const match = /^([a-z+0-9]+):\/\/(.*)$/.exec(text)
  const [, protocol = '', rest = ''] = match ?? []
  if (match === null) return undefined
  if (protocol.startsWith('unix')) return { protocol, host: '', port: undefined, path: rest }
  const place = parseHostPort(rest)
  return place && { protocol, ...place, path: '' }
}

export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/?#@]*))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return undefined
  const port = match[3] === undefined ? undefined : Number(match[3])
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined
  return { host: match[1] ?? match[2] ?? '', port }
}
