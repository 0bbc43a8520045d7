/** Proxy settings of config.json as environment variables of containers. */
import type { ConfigFile, ProxyConfig } from '../config-file.ts'

const NAMES: [keyof ProxyConfig, string][] = [
  ['httpProxy', 'HTTP_PROXY'],
  ['httpsProxy', 'HTTPS_PROXY'],
  ['noProxy', 'NO_PROXY'],
  ['ftpProxy', 'FTP_PROXY'],
  ['allProxy', 'ALL_PROXY'],
]

export function proxyEnvironment(config: ConfigFile, host: string): string[] {
  const settings = config.proxies?.[host] ?? config.proxies?.default
  if (!settings) return []
  return NAMES.flatMap(([key, name]) => {
    const value = settings[key]
    return value ? [`${name}=${value}`, `${name.toLowerCase()}=${value}`] : []
  })
}
