/** Certificates of one registry, in Docker's layout: every `*.crt` is an authority; `x.cert` and `x.key` identify this client. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { internal, invalidArgument } from '@dockerd-ts/core'
import { hasCode } from '../content/files.ts'

export interface Certificates {
  ca?: string[]
  cert?: string[]
  key?: string[]
}

/** Another one when a file was changed, so that nobody has to tell the daemon. */
export async function fingerprint(directory: string | undefined): Promise<string> {
  if (directory === undefined) return ''
  const names = await namesIn(directory).catch(() => [])
  const states = names.map(async (name) => {
    const { ino, size, mtimeMs } = await stat(join(directory, name)).catch(() => ({ ino: 0, size: 0, mtimeMs: 0 }))
    return `${name} ${ino} ${size} ${mtimeMs}`
  })
  return (await Promise.all(states)).join('\n')
}

/** Throws in dockerd's words when the halves of a client's certificate are not both there. */
export async function readCertificates(directory: string | undefined): Promise<Certificates> {
  if (directory === undefined) return {}
  const names = await namesIn(directory)
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  for (const name of names) checkPair(name, names)
  const authorities = names.filter((name) => name.endsWith('.crt'))
  const clients = names.filter((name) => name.endsWith('.cert'))
  const cert = await Promise.all(clients.map(read))
  const key = await Promise.all(clients.map((name) => read(keyOf(name))))
  if ([...cert, ...key].some((pem) => !pem.includes('-----BEGIN '))) {
    throw internal('tls: failed to find any PEM data in certificate input')
  }
  return {
    ...(authorities.length > 0 && {
      ca: [...(await systemAuthorities()), ...(await Promise.all(authorities.map(read)))],
    }),
    ...(clients.length > 0 && { cert, key }),
  }
}

const keyOf = (name: string) => name.replace(/\.cert$/, '.key')
const certificateOf = (name: string) => name.replace(/\.key$/, '.cert')

function checkPair(name: string, names: readonly string[]): void {
  if (name.endsWith('.cert') && !names.includes(keyOf(name))) {
    const rest = 'CA certificates must use the extension .crt'
    throw invalidArgument(`missing key ${keyOf(name)} for client certificate ${name}. ${rest}`)
  }
  if (name.endsWith('.key') && !names.includes(certificateOf(name))) {
    throw invalidArgument(`missing client certificate ${certificateOf(name)} for key ${name}`)
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    if (hasCode(error, 'ENOTDIR')) throw invalidArgument(`open ${directory}: not a directory`)
    throw error
  }
}

/** Naming authorities replaces the built-in ones: they are added, as Docker adds. */
async function systemAuthorities(): Promise<readonly string[]> {
  const { getCACertificates } = await import('node:tls')
  return getCACertificates('default')
}
