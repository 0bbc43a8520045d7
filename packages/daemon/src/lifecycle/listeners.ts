/** The daemon's sockets: `unix://path`, `tcp://address:port` and `fd://` (systemd), turned into what a server can listen on. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs'
import { createConnection } from 'node:net'
import { dirname } from 'node:path'
import { ConfigError } from '../config/load-config.ts'

export type Listener =
  | { kind: 'unix'; path: string }
  | { kind: 'tcp'; host: string; port: number; tls: boolean /** As it was asked for, completed. */; address: string }
  | { kind: 'fd'; fd: number }

export interface HostChoices {
  tls: boolean
  tlsVerify: boolean
  /** Of the sockets that systemd opened for us. */
  listenDescriptors: readonly number[]
}

/** Reads `-H` values. `fd://` (also `fd://*`) means every descriptor that systemd passed; none passed is an error. */
export function parseHosts(hosts: readonly string[], choices: HostChoices): Listener[] {
  return hosts.flatMap((named): Listener[] => {
    const host = named.trim()
    // Without a scheme it is TCP, as for Docker: a socket's path is named with one.
    const [, scheme = 'tcp', rest = host] = /^(.*?):\/\/(.*)$/.exec(host) ?? []
    if (host === '') return [{ kind: 'unix', path: '/var/run/docker.sock' }]
    if (scheme === 'unix') return [{ kind: 'unix', path: rest || '/var/run/docker.sock' }]
    if (scheme === 'tcp') return [tcpListener(host, rest, choices)]
    if (scheme === 'npipe') throw new ConfigError(`invalid protocol format: "npipe"`)
    if (scheme !== 'fd') throw new ConfigError(`invalid bind address (${host}): unsupported proto '${scheme}'`)
    if (choices.listenDescriptors.length === 0) {
      throw new ConfigError('no sockets found via socket activation: make sure the service was started by systemd')
    }
    return choices.listenDescriptors.map((fd) => ({ kind: 'fd', fd }))
  })
}

function tcpListener(host: string, rest: string, { tls, tlsVerify }: HostChoices): Listener {
  const secured = tls || tlsVerify
  const { address, port } = splitAddress(host, rest)
  const named = address || 'localhost'
  const number = port || (secured ? '2376' : '2375')
  if (Number(number) > MAX_PORT) throw new ConfigError(`listen tcp: address ${number}: invalid port`)
  return {
    kind: 'tcp',
    // Of the addresses of a name Go takes an IPv4 one first.
    host: named === 'localhost' ? '127.0.0.1' : named,
    port: Number(number),
    tls: secured,
    address: `${named.includes(':') ? `[${named}]` : named}:${number}`,
  }
}

/** As Go reads an address with a scheme, with its words for what is none. */
function splitAddress(host: string, rest: string): { address: string; port: string } {
  const invalid = (reason: string) => new ConfigError(`invalid bind address (${host}): ${reason}`)
  const unparsed = (reason: string) => invalid(`parse ${JSON.stringify(`tcp://${rest}`)}: ${reason}`)
  const [, authority = '', path = ''] = /^([^/?#]*)(.*)$/.exec(rest) ?? []
  if (authority.startsWith('[') && !authority.includes(']')) throw unparsed("missing ']' in host")
  const [, address = '', port] = /^(\[[^\]]*\]|.*?)((?::[^:]*)?)$/.exec(authority) ?? []
  if (port === undefined || !/^(:\d*)?$/.test(port)) throw unparsed(`invalid port "${port ?? ''}" after host`)
  if (path.startsWith('/')) throw invalid('should not contain a path element')
  if (port !== ':' && port !== '' && Number(port.slice(1)) === 0) throw invalid(`invalid port: ${port.slice(1)}`)
  if (/[\s"<>]/.test(address))
    throw unparsed(`invalid character ${JSON.stringify(/[\s"<>]/.exec(address)?.[0])} in host name`)
  return { address: address.replace(/^\[|\]$/g, ''), port: port.slice(1) }
}

/** What `docker info` says about the API on TCP, in Docker's words. */
export function exposureWarnings(hosts: readonly string[], choices: Pick<HostChoices, 'tls' | 'tlsVerify'>): string[] {
  const named = hosts.filter((host) => !host.trim().startsWith('fd://'))
  return parseHosts(named, { ...choices, listenDescriptors: [] }).flatMap((listener) => {
    if (listener.kind !== 'tcp' || choices.tlsVerify) return []
    const how = listener.tls
      ? `https://${listener.address} without TLS client verification.`
      : `http://${listener.address} without encryption.`
    return [`[DEPRECATION NOTICE]: API is accessible on ${how}${EXPOSURE}`]
  })
}

const MAX_PORT = 65_535

const EXPOSURE = `
         Access to the remote API is equivalent to root access on the host. Refer
         to the 'Docker daemon attack surface' section in the documentation for
         more information: https://docs.docker.com/go/attack-surface/
In future versions this will be a hard failure preventing the daemon from starting! Learn more at: https://docs.docker.com/go/api-security/`

/** Takes a socket's path: a stale one is removed, one on which something answers is refused. */
export async function claimSocketPath(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  if (!existsSync(path)) return
  if (!lstatSync(path).isSocket())
    throw new ConfigError(`can't create unix socket ${path}: the file exists and is no socket`)
  const answered = await new Promise<boolean>((resolve) => {
    const probe = createConnection(path, () => resolve(true))
    probe.on('error', () => resolve(false))
    probe.on('connect', () => probe.destroy())
  })
  if (answered) throw new ConfigError(`can't create unix socket ${path}: another daemon listens on it`)
  unlinkSync(path)
}

function groupId(name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name)
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`))
  if (line) return Number(line.split(':')[2])
  try {
    // Groups of a directory service are not in the file.
    return Number(execFileSync('getent', ['group', name], { encoding: 'utf8' }).split(':')[2])
  } catch {
    return undefined
  }
}

/** 0660 root:group. The default group `docker` may be missing (then root alone may use the socket); a named one may not. */
export function protectSocket(path: string, group: string | undefined, warn: (message: string) => void): void {
  const gid = groupId(group ?? 'docker')
  if (gid === undefined && group !== undefined) throw new ConfigError(`group ${group} not found`)
  if (gid === undefined) warn('could not change group of the socket to docker: group docker not found')
  chownSync(path, 0, gid ?? 0)
  chmodSync(path, 0o660)
}
