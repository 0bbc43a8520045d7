/** What `info` shows about registries, from the daemon's options, in dockerd's shape. */
import type { EngineSettings } from '@dockerd-ts/core'
import { splitMirror } from '@dockerd-ts/images'
import type { DaemonConfig } from './config/load-config.ts'

type RegistrySettings = EngineSettings['registry']

/** dockerd always trusts loopback without TLS. */
const LOOPBACK = ['::1/128', '127.0.0.0/8']

export function registrySettings(config: DaemonConfig): RegistrySettings {
  const all = (config['registry-mirrors'] ?? []).map(splitMirror)
  const mirrorsOf = (wanted: string) =>
    all.filter(({ domain }) => domain === wanted).map(({ base }) => (base.endsWith('/') ? base : `${base}/`))
  const mirrors = mirrorsOf('docker.io')
  const insecure = config['insecure-registries'] ?? []
  const isNetwork = (entry: string) => /\/\d+$/.test(entry)
  const index = (name: string, extra: object) => ({
    Name: name,
    Mirrors: [] as string[],
    Secure: true,
    Official: false,
    ...extra,
  })
  const hosts = insecure.filter((entry) => !isNetwork(entry))
  const named = new Set([...all.map(({ domain }) => domain), ...hosts].filter((domain) => domain !== 'docker.io'))
  return {
    InsecureRegistryCIDRs: [...LOOPBACK, ...insecure.filter(isNetwork)],
    IndexConfigs: {
      'docker.io': index('docker.io', { Mirrors: mirrors, Official: true }),
      ...Object.fromEntries(
        [...named].map((host) => [host, index(host, { Mirrors: mirrorsOf(host), Secure: !hosts.includes(host) })]),
      ),
    },
    Mirrors: mirrors,
  }
}
