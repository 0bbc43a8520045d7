/** What a schema cannot say of the options: values that must fit each other, or mean something only in the engine. */
import { checkLogConfig, contains, parseAddress, parseCidr } from '@dockerd-ts/core'
import { readSignaturePolicy, type SignaturePolicy } from '@dockerd-ts/images'
import { createLogTargets } from '@dockerd-ts/log-drivers'
import { ConfigError } from './config-error.ts'
import type { DaemonOptions } from './options.ts'

/** Throws ConfigError, in dockerd's words where dockerd has some. */
export function checkConfig(options: DaemonOptions): void {
  for (const label of options.labels ?? []) {
    if (!/^[^=]+=/.test(label)) throw new ConfigError(`bad attribute format: ${label}`)
  }
  checkLogs(options)
  checkNetwork(options)
  checkAddresses(options)
  checkUrls(options)
  signaturePolicy(options)
  for (const execOption of options['exec-opts'] ?? []) {
    if (!/^native\.cgroupdriver=(cgroupfs|systemd)$/.test(execOption)) {
      throw new ConfigError(
        `invalid exec-opt "${execOption}": native.cgroupdriver=cgroupfs and native.cgroupdriver=systemd are known`,
      )
    }
  }
}

/** Undefined where none is named. Throws ConfigError. */
export function signaturePolicy(options: Pick<DaemonOptions, 'image-signature-policy'>): SignaturePolicy | undefined {
  const path = options['image-signature-policy']
  if (path === undefined || path === '') return undefined
  try {
    return readSignaturePolicy(path)
  } catch (error) {
    throw new ConfigError((error as Error).message, { cause: error })
  }
}

function checkLogs(options: DaemonOptions): void {
  // Only asked which drivers and options there are: nothing is sent.
  const targets = createLogTargets({ sendDatagram: async () => {} })
  try {
    checkLogConfig(options['log-driver'] ?? 'json-file', options['log-opts'] ?? {}, targets)
  } catch (error) {
    throw new ConfigError(`failed to set log opts: ${(error as Error).message}`, { cause: error })
  }
}

function checkNetwork(options: DaemonOptions): void {
  const cidr = (key: 'bip' | 'bip6' | 'fixed-cidr' | 'fixed-cidr-v6', family: 4 | 6) => {
    const text = options[key] || undefined
    const parsed = text === undefined ? undefined : parseCidr(text)
    if (text !== undefined && parsed?.subnet.family !== family) {
      throw new ConfigError(`invalid ${key}: invalid CIDR address: ${text}`)
    }
    return parsed
  }
  const within = (key: 'default-gateway' | 'default-gateway-v6', bridge: ReturnType<typeof parseCidr>) => {
    const text = options[key] || undefined
    const address = text === undefined ? undefined : parseAddress(text)
    if (text !== undefined && address?.family !== (key === 'default-gateway' ? 4 : 6)) {
      throw new ConfigError(`invalid ${key}: failed to parse ${text} as IP`)
    }
    if (address !== undefined && bridge !== undefined && !contains(bridge.subnet, address)) {
      throw new ConfigError(`invalid ${key}: ${text} is not in the network of the default bridge`)
    }
  }
  const fixed4 = cidr('fixed-cidr', 4)
  const fixed6 = cidr('fixed-cidr-v6', 6)
  within('default-gateway', cidr('bip', 4) ?? fixed4)
  within('default-gateway-v6', cidr('bip6', 6) ?? fixed6)
  if (options.ipv6 !== true) {
    const needing = (['bip6', 'default-gateway-v6'] as const).filter((key) => options[key])
    if (needing.length > 0) throw new ConfigError(`${needing.join(', ')}: the default bridge has IPv6 with ipv6 only`)
  }
  for (const { base, size } of options['default-address-pools'] ?? []) {
    const subnet = parseCidr(base)?.subnet
    const longest = subnet?.family === 6 ? 128 : 32
    if (subnet === undefined || size < subnet.prefixLength || size > longest) {
      throw new ConfigError(`invalid default address pool ${base} of size ${size}`)
    }
  }
}

function checkAddresses(options: DaemonOptions): void {
  const texts = [
    ...(options.dns ?? []).map((text) => ['dns', text] as const),
    ...(options['host-gateway-ips'] ?? []).map((text) => ['host-gateway-ips', text] as const),
    ...(options.ip ? [['ip', options.ip] as const] : []),
  ]
  for (const [key, text] of texts) {
    if (parseAddress(text) === undefined) throw new ConfigError(`invalid ${key}: ${text} is no IP address`)
  }
  for (const domain of options['dns-search'] ?? []) {
    if (domain !== '.' && !/^[\w.-]{1,255}$/.test(domain)) {
      throw new ConfigError(`invalid dns-search: ${domain} is not a valid domain`)
    }
  }
}

function checkUrls(options: DaemonOptions): void {
  for (const option of options['registry-mirrors'] ?? []) {
    // `ghcr.io=https://mirror` is a mirror of that registry, the URL alone one of Docker Hub.
    const mirror = option.replace(/^[\w.-]+(?::\d+)?=/, '')
    const url = URL.canParse(mirror) ? new URL(mirror) : undefined
    if (url === undefined) throw new ConfigError(`invalid mirror: ${JSON.stringify(mirror)} is not a valid URI`)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new ConfigError(`invalid mirror: unsupported scheme "${url.protocol.slice(0, -1)}" in "${mirror}"`)
    }
    if (url.search !== '' || url.hash !== '') {
      throw new ConfigError(`invalid mirror: query or fragment at end of the URI "${mirror}"`)
    }
    if (url.username !== '' || url.password !== '') {
      throw new ConfigError(`invalid mirror: username/password not allowed in URI "${url.protocol}//xxxxx@${url.host}"`)
    }
  }
  for (const registry of options['insecure-registries'] ?? []) {
    if (/^https?:\/\//i.test(registry)) {
      throw new ConfigError(`insecure registry ${registry} should not contain '://'`)
    }
    if (registry.startsWith('-') || (/\/\d+$/.test(registry) && parseCidr(registry) === undefined)) {
      throw new ConfigError(`insecure registry ${registry} is not valid: invalid host ${JSON.stringify(registry)}`)
    }
  }
  for (const key of ['http-proxy', 'https-proxy'] as const) {
    const proxy = options[key]
    if (proxy && !URL.canParse(proxy)) throw new ConfigError(`invalid ${key}: it is not a valid URL`)
  }
}
