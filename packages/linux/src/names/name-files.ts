/**
 * The NameFiles port: hostname, hosts and resolv.conf, written in place (they are bind mounts of containers that run).
 * Small and synchronous: three writes cost less than one trip to the thread pool.
 */
import { createHash } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NameFiles, NameFilesRequest } from '@dockerd-ts/core'
import { renderHosts } from './hosts-file.ts'
import { isResolvedStub, renderResolvConf } from './resolv-conf.ts'

export interface NameFilesOptions {
  /** What `host-gateway` stands for. */
  hostGateways: () => readonly string[]
  /** Of the host; for tests. */
  etc?: string
  resolvedConf?: string
  /** The kernel has IPv6; found out when absent. */
  ipv6?: boolean
}

export function createNameFiles(options: NameFilesOptions): NameFiles {
  const ipv6 = options.ipv6 ?? existsSync('/proc/sys/net/ipv6')
  return {
    async write(request) {
      mkdirSync(request.directory, { recursive: true, mode: 0o710 })
      const paths = {
        hostnamePath: join(request.directory, 'hostname'),
        hostsPath: join(request.directory, 'hosts'),
        resolvConfPath: join(request.directory, 'resolv.conf'),
      }
      put(paths.hostnamePath, `${request.hostname}\n`)
      put(paths.hostsPath, hostsText(request, { ...options, ipv6 }))
      writeResolvConf(paths.resolvConfPath, resolvConfText(request, options))
      const { owner } = request
      if (owner) for (const path of Object.values(paths)) chownSync(path, owner.uid, owner.gid)
      return paths
    },
  }
}

/** In the host's namespace its own file is as good, as long as nothing is added to it. */
function hostsText(request: NameFilesRequest, { etc = '/etc', ipv6, hostGateways }: NameFilesOptions): string {
  if (request.mode === 'host' && request.extraHosts.length === 0) return read(join(etc, 'hosts'))
  const { hostname, domainname, endpoints, extraHosts } = request
  return renderHosts({
    hostname,
    ...(domainname !== undefined && { domainname }),
    endpoints,
    extraHosts,
    hostGateways: hostGateways(),
    ipv6: ipv6 ?? false,
  })
}

function resolvConfText(request: NameFilesRequest, options: NameFilesOptions): string {
  const hostNamespace = request.mode === 'host'
  return renderResolvConf({
    source: hostResolvConf(options, hostNamespace),
    dns: request.dns,
    dnsSearch: request.dnsSearch,
    dnsOptions: request.dnsOptions,
    hostNamespace,
    ipv6: request.endpoints.some((endpoint) => endpoint.ipv6 !== undefined),
  })
}

/** systemd-resolved's own file names the real servers where /etc/resolv.conf only names its stub. */
function hostResolvConf(options: NameFilesOptions, hostNamespace: boolean): { path: string; text: string } {
  const { etc = '/etc', resolvedConf = '/run/systemd/resolve/resolv.conf' } = options
  const text = read(join(etc, 'resolv.conf'))
  if (!hostNamespace && isResolvedStub(text) && existsSync(resolvedConf)) {
    return { path: resolvedConf, text: read(resolvedConf) }
  }
  return { path: '/etc/resolv.conf', text }
}

/** What somebody has changed since we wrote it is theirs. The hash of what we wrote lies beside it. */
function writeResolvConf(path: string, text: string): void {
  const hashPath = `${path}.hash`
  const written = read(hashPath)
  if (written !== '' && existsSync(path) && hashOf(read(path)) !== written) return
  put(path, text)
  put(hashPath, hashOf(text))
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Readable for every user of the container, whatever the daemon's umask. */
function put(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o644 })
}

/** '' when there is none. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
