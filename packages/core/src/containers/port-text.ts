/** Ports as Docker writes them: `80`, `80/tcp`. Pure. */

export interface ParsedPort {
  port: number
  protocol: 'tcp' | 'udp' | 'sctp'
}

/** undefined: no port. */
export function parsePort(text: string): ParsedPort | undefined {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(text)
  const port = Number(match?.[1])
  if (match === null || port > 65_535) return undefined
  return { port, protocol: (match[2]?.toLowerCase() ?? 'tcp') as ParsedPort['protocol'] }
}
