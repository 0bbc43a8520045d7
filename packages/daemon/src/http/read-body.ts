/** Reads JSON request bodies, bounded. */
import type { Readable } from 'node:stream'
import { InvalidRequest } from '@dockerd-ts/api'

/** Far above what a client sends: a container's configuration with an inline seccomp profile is some 100 kB. */
export const jsonBodyLimitBytes = 8 * 1024 * 1024

export async function readText(body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    length += (chunk as Buffer).length
    if (length > jsonBodyLimitBytes) throw new InvalidRequest('http: request body too large')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks, length).toString('utf8')
}
