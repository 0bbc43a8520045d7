/** Certificates of registries and of this client, and tunnels to them through proxies. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createProxy } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import t from 'tap'
import { freePort } from '../testing/docker-registry.ts'
import { temporaryDirectory } from '../testing/test-images.ts'
import { HttpClient } from './http-client.ts'

const directory = temporaryDirectory(t)
const at = (name: string) => join(directory, name)
const pem = (name: string) => readFileSync(at(name), 'utf8')

/** Signed by itself: it is its own authority. */
function certificate(name: string, names: string | undefined): void {
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const subject = ['-subj', `/CN=${name}`, ...(names ? ['-addext', `subjectAltName=${names}`] : [])]
  execFileSync('openssl', [...request, ...subject, '-keyout', at(`${name}.key`), '-out', at(`${name}.crt`)], {
    stdio: 'ignore',
  })
}
certificate('here', 'IP:127.0.0.1,DNS:registry.test')
certificate('elsewhere', 'IP:127.0.0.9,DNS:other.test')
certificate('named', 'DNS:other.test,DNS:b.test')
certificate('client', undefined)
certificate('second', undefined)

/** Under TLS 1.3 Node's servers say nothing when they close. */
const askingClients = { requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' } as const

async function server(t: Teardown, options: ServerOptions, name = 'here'): Promise<Server> {
  const seen: string[] = []
  const https = createServer({ key: pem(`${name}.key`), cert: pem(`${name}.crt`), ...options }, (request, response) => {
    const peer = (request.socket as TLSSocket).getPeerCertificate()
    seen.push(`${request.url} ${peer.subject?.CN ?? '-'}`)
    response.end('hello')
  })
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    https.closeAllConnections()
    https.close()
  })
  const host = `127.0.0.1:${(https.address() as AddressInfo).port}`
  const certificatesDirectory = temporaryDirectory(t)
  const own = join(certificatesDirectory, host)
  mkdirSync(own)
  copyFileSync(at(`${name}.crt`), join(own, 'ca.crt'))
  const client = async (base = `https://${host}`) => {
    const endpoint = { base, mirror: false, insecure: false }
    const opened = await HttpClient.open(endpoint, { certificatesDirectory, userAgent: 'test' })
    t.teardown(() => opened.close())
    return opened
  }
  return { host, own, seen, client, certificatesDirectory }
}

interface Teardown {
  teardown(work: () => unknown): void
}

interface Server {
  host: string
  /** The registry's directory of certificates. */
  own: string
  seen: string[]
  client(base?: string): Promise<HttpClient>
  certificatesDirectory: string
}

const ask = async (client: HttpClient) =>
  (await client.send({ method: 'GET', url: new URL(`${client.endpoint.base}/v2/`) })).text(1000)

const identify = (own: string, name: string, as = 'client') => {
  copyFileSync(at(`${name}.crt`), join(own, `${as}.cert`))
  copyFileSync(at(`${name}.key`), join(own, `${as}.key`))
}

t.test('this client says who it is, by certificates that are read again when they change', async (t) => {
  const mutual = { ...askingClients, ca: [pem('client.crt'), pem('second.crt')] }
  const { host, own, seen, client } = await server(t, mutual)
  const said = (text: string) => ({ kind: 'internal', message: `Get "https://${host}/v2/": ${text}` })
  const opened = await client()
  await t.rejects(ask(opened), said('remote error: tls: handshake failure'))
  identify(own, 'client')
  await opened.refresh()
  t.equal(await ask(opened), 'hello')
  identify(own, 'second')
  await opened.refresh()
  t.equal(await ask(opened), 'hello')
  t.same(seen, ['/v2/ client', '/v2/ second'])
  rmSync(join(own, 'ca.crt'))
  await opened.refresh()
  await t.rejects(ask(opened), said('tls: failed to verify certificate: x509: certificate signed by unknown authority'))
})

t.test('halves of a certificate are refused in dockerd’s words', async (t) => {
  const { own, client, certificatesDirectory } = await server(t, {})
  const invalid = (message: string) => ({ kind: 'invalidArgument', message })
  identify(own, 'client')
  const opened = await client()
  rmSync(join(own, 'client.key'))
  const rest = 'CA certificates must use the extension .crt'
  const noKey = invalid(`missing key client.key for client certificate client.cert. ${rest}`)
  await t.rejects(client(), noKey)
  await t.rejects(opened.refresh(), noKey)
  rmSync(join(own, 'client.cert'))
  copyFileSync(at('client.key'), join(own, 'client.key'))
  await t.rejects(client(), invalid('missing client certificate client.cert for key client.key'))
  writeFileSync(join(own, 'client.cert'), 'x')
  await t.rejects(client(), { message: 'tls: failed to find any PEM data in certificate input' })
  writeFileSync(join(certificatesDirectory, 'other.test'), '')
  const file = join(certificatesDirectory, 'other.test')
  await t.rejects(client('https://other.test'), invalid(`open ${file}: not a directory`))
})

t.test('what is wrong with TLS is told in Go’s words', async (t) => {
  const cases: [ServerOptions, string, string][] = [
    [
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      'here',
      'remote error: tls: protocol version not supported',
    ],
    [{}, 'elsewhere', 'tls: failed to verify certificate: x509: certificate is valid for 127.0.0.9, not 127.0.0.1'],
    [
      {},
      'named',
      "tls: failed to verify certificate: x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
    ],
  ]
  for (const [options, name, text] of cases) {
    const { host, client } = await server(t, options, name)
    await t.rejects(ask(await client()), { message: `Get "https://${host}/v2/": ${text}` })
  }
})

t.test('a proxy tunnels TLS for who has its password, and only where it is asked for', async (t) => {
  const { host, certificatesDirectory, seen, client } = await server(t, {})
  const port = host.split(':')[1] ?? ''
  const base = `https://registry.test:${port}`
  mkdirSync(join(certificatesDirectory, `registry.test:${port}`))
  copyFileSync(at('here.crt'), join(certificatesDirectory, `registry.test:${port}`, 'ca.crt'))
  const asked: string[] = []
  const expected = `Basic ${Buffer.from('user:p@ss word').toString('base64')}`
  const proxy = createProxy()
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '')
    if (request.headers['proxy-authorization'] !== expected) {
      return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
    }
    const onward = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    for (const end of [onward, socket]) end.on('error', () => onward.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']
  const before = names.map((name) => [name, process.env[name]] as const)
  t.teardown(() => {
    for (const name of names) delete process.env[name]
    Object.assign(process.env, Object.fromEntries(before.filter(([, value]) => value !== undefined)))
  })
  const through = async (proxies: Record<string, string>) => {
    for (const name of names) delete process.env[name]
    Object.assign(process.env, proxies)
    return client(base)
  }
  t.equal(await ask(await through({ HTTPS_PROXY: `http://user:p%40ss%20word@${address}` })), 'hello')
  t.same(asked, [`registry.test:${port}`])
  t.same(seen, ['/v2/ -'])
  const said = (text: string) => ({ message: `Get "${base}/v2/": ${text}` })
  await t.rejects(ask(await through({ https_proxy: `user:wrong@${address}` })), said('Proxy Authentication Required'))
  const closed = `127.0.0.1:${await freePort()}`
  const refused = said(`proxyconnect tcp: dial tcp ${closed}: connect: connection refused`)
  await t.rejects(ask(await through({ HTTPS_PROXY: `http://user:secret@${closed}` })), refused)
  asked.length = 0
  const lookup = { message: /dial tcp: lookup registry.test/ }
  await t.rejects(ask(await through({ HTTPS_PROXY: `http://${address}`, NO_PROXY: '.test' })), lookup)
  await t.rejects(ask(await through({ HTTP_PROXY: `http://${address}` })), lookup, 'that is for plain HTTP')
  t.same(asked, [])
  const bad = { message: 'proxyconnect tcp: invalid address in HTTPS_PROXY' }
  await t.rejects(through({ HTTPS_PROXY: 'ftp://user:secret@x' }), bad)
})
