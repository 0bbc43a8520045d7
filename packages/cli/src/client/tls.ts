/** TLS to a daemon on TCP, with Docker's certificate files. */
import { existsSync, readFileSync } from 'node:fs'
import { connect, type TLSSocket } from 'node:tls'
import type { TlsFiles } from './endpoint.ts'

export async function startTls(host: string, port: number, files: TlsFiles): Promise<TLSSocket> {
  const read = (path: string | undefined) => (path && existsSync(path) ? readFileSync(path) : undefined)
  const ca = files.verify ? read(files.ca) : undefined
  const cert = read(files.cert)
  const key = read(files.key)
  if (files.verify && files.ca && !ca)
    throw new Error(`could not read CA certificate "${files.ca}": open ${files.ca}: no such file or directory`)
  return connect({
    host,
    port,
    servername: /^[\d.:]+$/.test(host) ? '' : host,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: files.verify,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  })
}
