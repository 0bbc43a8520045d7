/** What the context commands share. */
import { readFileSync } from 'node:fs'
import type { Cli } from '../cli.ts'
import { type ContextMeta, ContextStore } from '../client/contexts.ts'
import { parseHost } from '../client/endpoint.ts'
import { custom, cut, type Flag, parseBool, splitCsv } from '../options/flags.ts'

/** Says that a context has no effect while DOCKER_HOST is set. */
export function warnHostOverride(cli: Cli, name: string): void {
  if (!process.env.DOCKER_HOST) return
  const use = name === '' ? 'To use a context' : `To use ${JSON.stringify(name)}`
  cli.err(
    `Warning: DOCKER_HOST environment variable overrides the active context. ${use}, either set the global --context flag, or unset DOCKER_HOST environment variable.\n`,
  )
}

export function checkContextName(name: string): void {
  if (name === '') throw new Error('context name cannot be empty')
  if (name === 'default') throw new Error('"default" is a reserved context name')
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/.test(name))
    throw new Error(
      `context name ${JSON.stringify(name)} is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"`,
    )
}

/** `--docker "host=tcp://…,ca=…"` */
export function endpointFlag(): Flag<Record<string, string>> {
  const set = (current: Record<string, string>, text: string): Record<string, string> => {
    const pairs = splitCsv(text).map((field): [string, string] => {
      const [key, value] = cut(field, '=')
      if (value === undefined) throw new Error(`${field} must be formatted as key=value`)
      return [key, value]
    })
    return { ...current, ...Object.fromEntries(pairs) }
  }
  return custom(
    '',
    'stringToString',
    'Where the daemon is: host, ca, cert, key, skip-tls-verify, from',
    {} as Record<string, string>,
    set,
    { shownDefault: '[]' },
  )
}

/** Fills in the endpoint of `meta` and returns the TLS files to keep. */
export function applyEndpoint(
  cli: Cli,
  meta: ContextMeta,
  options: Record<string, string>,
): Record<string, Buffer> | undefined {
  for (const key of Object.keys(options)) {
    if (!['from', 'host', 'ca', 'cert', 'key', 'skip-tls-verify'].includes(key))
      throw new Error(`unable to create docker endpoint config: ${key}: unrecognized config key`)
  }
  const skip = options['skip-tls-verify'] === undefined ? false : parseBool(options['skip-tls-verify'])
  if (options.from) {
    const from =
      options.from === 'default'
        ? defaultEndpoint()
        : new ContextStore(cli.configDir).read(options.from).Endpoints.docker
    meta.Endpoints.docker = { ...(from ?? { SkipTLSVerify: false }) }
    return undefined
  }
  const files: Record<string, Buffer> = {}
  for (const name of ['ca', 'cert', 'key']) if (options[name]) files[`${name}.pem`] = readFileSync(options[name])
  const host = options.host ? parseHost(options.host, Object.keys(files).length > 0) : undefined
  meta.Endpoints.docker = { ...(host === undefined ? {} : { Host: host }), SkipTLSVerify: skip }
  return files
}

export function defaultEndpoint() {
  return { Host: process.env.DOCKER_HOST || parseHost('', false), SkipTLSVerify: false }
}
