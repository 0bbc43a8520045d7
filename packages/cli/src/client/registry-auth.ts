/** Credentials for registries: from config.json or from the credential helper programs it names. */
import type { Cli } from '../cli.ts'
import type { AuthEntry, ConfigFile } from '../config-file.ts'

export const INDEX_SERVER = 'https://index.docker.io/v1/'

/** The key under which a registry's credentials are kept. */
export const authKey = (domain: string): string =>
  domain === 'docker.io' || domain === 'index.docker.io' ? INDEX_SERVER : domain

function encodeAuth(auth: AuthEntry): string {
  const text = Buffer.from(JSON.stringify(auth)).toString('base64')
  return text.replaceAll('+', '-').replaceAll('/', '_')
}

/** The X-Registry-Auth header for a registry; credentials are left out when there are none. */
export async function registryAuthHeader(cli: Cli, domain: string): Promise<string> {
  return encodeAuth(await findAuth(cli.config, authKey(domain)))
}

export async function findAuth(config: ConfigFile, key: string): Promise<AuthEntry> {
  const helper = config.credHelpers?.[key] ?? config.credsStore
  if (helper) {
    const { credentialHelper } = await import('./credential-helper.ts')
    return credentialHelper(helper).get(key)
  }
  const stored = config.auths?.[key] ?? config.auths?.[hostOf(key)] ?? matching(config, key)
  return stored ? { ...decodeAuth(stored), serveraddress: key } : {}
}

function matching(config: ConfigFile, key: string): AuthEntry | undefined {
  return Object.entries(config.auths ?? {}).find(([other]) => hostOf(other) === hostOf(key))?.[1]
}

export function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').split('/')[0] ?? ''
}

function decodeAuth(entry: AuthEntry): AuthEntry {
  const { auth, ...rest } = entry
  if (!auth) return rest
  const text = Buffer.from(auth, 'base64').toString()
  const colon = text.indexOf(':')
  return { ...rest, username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') }
}
