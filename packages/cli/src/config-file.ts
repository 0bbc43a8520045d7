/** The client's configuration, config.json: read when needed, and written back without losing what others put there. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { STDERR, writeFully } from './terminal/write.ts'

export interface AuthEntry {
  auth?: string
  username?: string
  password?: string
  email?: string
  serveraddress?: string
  identitytoken?: string
  registrytoken?: string
}

export interface ProxyConfig {
  httpProxy?: string
  httpsProxy?: string
  noProxy?: string
  ftpProxy?: string
  allProxy?: string
}

export interface ConfigFile {
  auths?: Record<string, AuthEntry>
  HttpHeaders?: Record<string, string>
  psFormat?: string
  imagesFormat?: string
  networksFormat?: string
  volumesFormat?: string
  statsFormat?: string
  detachKeys?: string
  credsStore?: string
  credHelpers?: Record<string, string>
  currentContext?: string
  proxies?: Record<string, ProxyConfig>
  [other: string]: unknown
}

export function loadConfig(dir: string): ConfigFile {
  const path = join(dir, 'config.json')
  if (!existsSync(path)) return {}
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ConfigFile
  } catch (error) {
    writeFully(STDERR, `WARNING: Error loading config file: ${path}: ${(error as Error).message}\n`)
    return {}
  }
}

/** Writes through a temporary file, readable by the owner only: the file may hold passwords. */
export function saveConfig(dir: string, config: ConfigFile): void {
  const path = join(dir, 'config.json')
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}${process.pid}.tmp`
  writeFileSync(temporary, JSON.stringify(config, undefined, '\t'), { mode: 0o600 })
  chmodSync(temporary, 0o600)
  renameSync(temporary, path)
}
