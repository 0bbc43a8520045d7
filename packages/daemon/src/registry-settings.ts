/** What `info` shows about registries, from the daemon's options, in dockerd's shape. */
import type { EngineSettings } from '@dockerd-ts/core'
import type { DaemonConfig } from './config/load-config.ts'

type RegistrySettings = EngineSettings['registry']

/** dockerd always trusts loopback without TLS. */
const LOOPBACK = ['::1/128', '127.0.0.0/8']

export function registrySettings(config: DaemonConfig): RegistrySettings {
  const mirrors = (config['registry-mirrors'] ?? []).map((url) => (url.endsWith('/') ? url : `${url}/`))
  const insecure = config['insecure-registries'] ?? []
  const isNetwork = (entry: string) => /\/\d+$/.test(entry)
  const index = (name: string, extra: object) => ({
    Name: name,
    Mirrors: [] as string[],
    Secure: true,
    Official: false,
    ...extra,
  })
  return {
    InsecureRegistryCIDRs: [...LOOPBACK, ...insecure.filter(isNetwork)],
    IndexConfigs: {
      'docker.io': index('docker.io', { Mirrors: mirrors, Official: true }),
      ...Object.fromEntries(
        insecure.filter((entry) => !isNetwork(entry)).map((host) => [host, index(host, { Secure: false })]),
      ),
    },
    Mirrors: mirrors,
  }
}
