/** For tests: Debian's docker-registry on a loopback port of its own, plain or with TLS and htpasswd. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { temporaryDirectory } from './test-images.ts'

interface Teardown {
  teardown(work: () => unknown): void
}

export interface TestRegistry {
  /** `127.0.0.1:12345`, or `registry.test…` with TLS. */
  host: string
  directory: string
  /** Of the authority that signed its certificate. */
  authority?: string
}

export async function dockerRegistry(
  t: Teardown,
  options: { tls?: boolean; htpasswd?: { user: string; password: string } } = {},
): Promise<TestRegistry> {
  const directory = temporaryDirectory(t)
  const port = await freePort()
  const environment: Record<string, string> = {}
  const config = [
    'version: 0.1',
    'log: {level: error, accesslog: {disabled: true}}',
    `storage: {filesystem: {rootdirectory: ${join(directory, 'data')}}, delete: {enabled: true}}`,
    `http: {addr: '127.0.0.1:${port}'${options.tls ? `, tls: {certificate: ${directory}/server.crt, key: ${directory}/server.key}` : ''}}`,
  ]
  if (options.tls) makeCertificates(directory)
  if (options.htpasswd !== undefined) {
    const { user, password } = options.htpasswd
    const line = execFileSync('htpasswd', ['-Bbn', user, password])
    writeFileSync(join(directory, 'htpasswd'), line)
    config.push(`auth: {htpasswd: {realm: test, path: ${directory}/htpasswd}}`)
  }
  writeFileSync(join(directory, 'config.yml'), config.join('\n'))
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment, OTEL_TRACES_EXPORTER: 'none' },
  })
  t.teardown(() => stopped(child))
  await answering(child, port)
  return {
    host: `127.0.0.1:${port}`,
    directory,
    ...(options.tls && { authority: readFileSync(join(directory, 'ca.crt'), 'utf8') }),
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function makeCertificates(directory: string): void {
  mkdirSync(directory, { recursive: true })
  const openssl = (...argv: string[]) => execFileSync('openssl', argv, { cwd: directory, stdio: 'ignore' })
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=Test CA',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  )
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=127.0.0.1',
    '-keyout',
    'server.key',
    '-out',
    'server.csr',
  )
  writeFileSync(join(directory, 'san'), 'subjectAltName=IP:127.0.0.1,DNS:localhost')
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'san',
    '-out',
    'server.crt',
  )
}

async function answering(child: ChildProcess, port: number): Promise<void> {
  let output = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk).slice(-4096)
  })
  const { connect } = await import('node:net')
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended: ${output}`)
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (up) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`docker-registry does not answer: ${output}`)
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}
