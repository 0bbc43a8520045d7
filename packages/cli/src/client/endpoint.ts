/** Where the daemon listens: parses Docker's host addresses. */

/** An installation beside Docker has a socket of its own, and says so to its client. */
export const DEFAULT_HOST = process.env.DOCKER_TS_DEFAULT_HOST ?? 'unix:///var/run/docker.sock'

export interface TlsFiles {
  ca?: string | undefined
  cert?: string | undefined
  key?: string | undefined
  verify: boolean
}

export interface DaemonAddress {
  /** As the user (or the default) named it, for messages. */
  host: string
  protocol: 'unix' | 'tcp' | 'ssh' | 'npipe'
  /** Socket path, or host:port. */
  address: string
  /** Prefix of every request path (tcp://host:port/prefix). */
  basePath: string
  tls?: TlsFiles | undefined
}

/** Docker's own completion of a host string: a bare name is a TCP host, a missing port is 2375 or 2376. */
export function parseHost(host: string, tls: boolean): string {
  const text = host.trim()
  if (text === '') return tls ? 'tcp://localhost:2376' : DEFAULT_HOST
  const [scheme, rest] = text.includes('://') ? (text.split(/:\/\/(.*)/s) as [string, string]) : ['tcp', text]
  if (scheme === 'unix') return rest === '' ? DEFAULT_HOST : `unix://${rest}`
  if (scheme === 'fd' || scheme === 'ssh' || scheme === 'npipe') return text
  if (scheme !== 'tcp') throw new Error(`invalid bind address format: ${host}`)
  const { name, port, path } = splitTcp(rest)
  const shown = name === '' ? 'localhost' : name.includes(':') ? `[${name}]` : name
  return `tcp://${shown}:${port || (tls ? '2376' : '2375')}${path === '/' ? '' : path}`
}

/** As Go reads it, with its words for what is none. An IPv6 address may come without brackets where no port follows. */
function splitTcp(rest: string): { name: string; port: string; path: string } {
  const wrong = (reason: string) => new Error(`parse ${JSON.stringify(`tcp://${rest}`)}: ${reason}`)
  const slash = rest.indexOf('/')
  const [authority, path] = slash < 0 ? [rest, ''] : [rest.slice(0, slash), rest.slice(slash)]
  if (authority.startsWith('[') && !authority.includes(']')) throw wrong("missing ']' in host")
  const [, name = '', port = authority] = /^(\[[^\]]*\]|.*?)((?::[^:]*)?)$/.exec(authority) ?? []
  if (!/^(:\d*)?$/.test(port)) throw wrong(`invalid port ${JSON.stringify(port)} after host`)
  if (name.startsWith('[')) return { name: name.slice(1, -1), port: port.slice(1), path }
  return name.includes(':') ? { name: authority, port: '', path } : { name, port: port.slice(1), path }
}

export function daemonAddress(host: string, tls?: TlsFiles): DaemonAddress {
  const [scheme, rest = ''] = host.split(/:\/\/(.*)/s)
  if (scheme === 'unix' || scheme === 'npipe') return { host, protocol: scheme, address: rest, basePath: '', tls }
  if (scheme === 'ssh') return { host, protocol: 'ssh', address: rest, basePath: '' }
  if (scheme !== 'tcp') throw new Error(`unable to parse docker host \`${host}\``)
  const slash = rest.indexOf('/')
  const address = slash < 0 ? rest : rest.slice(0, slash)
  return { host, protocol: 'tcp', address, basePath: slash < 0 ? '' : rest.slice(slash), tls }
}

/** The value of the Host header, which is meaningless on a Unix socket but must be a valid name. */
export function hostHeader(address: DaemonAddress): string {
  return address.protocol === 'tcp' ? address.address : 'api.moby.localhost'
}
