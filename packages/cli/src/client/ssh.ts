/** A daemon behind SSH: the connection is the standard input and output of `docker system dial-stdio` over there. */
import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'
import type { DaemonAddress } from './endpoint.ts'

export async function dialSsh(address: DaemonAddress): Promise<Duplex> {
  const url = new URL(`ssh://${address.address}`)
  if (url.password) throw new Error('plain-text password is not supported')
  if (url.hostname === '') throw new Error('no host specified')
  const args = ['-o', 'ConnectTimeout=30', '-T']
  if (url.username) args.push('-l', decodeURIComponent(url.username))
  if (url.port) args.push('-p', url.port)
  args.push('--', url.hostname, 'docker')
  // The path names the socket on the other side.
  if (url.pathname.length > 1) args.push('--host', `unix://${url.pathname}`)
  args.push('system', 'dial-stdio')
  const child = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  return Duplex.from({ writable: child.stdin, readable: child.stdout })
}
