/** The daemon's sockets: `unix://path`, `tcp://address:port` and `fd://` (systemd), turned into what a server can listen on. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs'
import { createConnection } from 'node:net'
import { dirname } from 'node:path'
import { ConfigError } from '../config/load-config.ts'

export type Listener =
  | { kind: 'unix'; path: string }
  | { kind: 'tcp'; host: string; port: number; tls: boolean }
  | { kind: 'fd'; fd: number }

export interface HostChoices {
  tls: boolean
  tlsVerify: boolean
  /** Of the sockets that systemd opened for us. */
  listenDescriptors: readonly number[]
}

function parseTcp(host: string, rest: string, { tls, tlsVerify }: HostChoices): Listener {
  const match = /^(\[[0-9a-f:.]+\]|[^:/[\]]*)(?::(\d+))?$/i.exec(rest)
  if (!match) throw new ConfigError(`invalid bind address (${host})`)
  const address = (match[1] ?? '').replace(/^\[|\]$/g, '') || '127.0.0.1'
  const secured = tls || tlsVerify
  return { kind: 'tcp', host: address, port: Number(match[2] ?? (secured ? 2376 : 2375)), tls: secured }
}

/** Reads `-H` values. `fd://` (also `fd://*`) means every descriptor that systemd passed; none passed is an error. */
export function parseHosts(hosts: readonly string[], choices: HostChoices): Listener[] {
  return hosts.flatMap((host): Listener[] => {
    const [, scheme = 'unix', rest = host] = /^([a-z]+):\/\/(.*)$/.exec(host) ?? []
    if (scheme === 'unix') return [{ kind: 'unix', path: rest || '/var/run/docker.sock' }]
    if (scheme === 'tcp') return [parseTcp(host, rest, choices)]
    if (scheme !== 'fd') throw new ConfigError(`invalid bind address format: ${host}`)
    if (choices.listenDescriptors.length === 0) {
      throw new ConfigError('no sockets found via socket activation: make sure the service was started by systemd')
    }
    return choices.listenDescriptors.map((fd) => ({ kind: 'fd', fd }))
  })
}

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
