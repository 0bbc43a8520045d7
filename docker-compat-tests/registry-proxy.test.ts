/** The daemon's proxies carry its registry traffic: plain HTTP as a request, HTTPS as a tunnel; and no secret is ever logged. */
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import t from 'tap'
import { scriptedRegistry } from '../packages/images/src/testing/scripted-registry.ts'
import { makeImage, tar } from '../packages/images/src/testing/test-images.ts'
import { startDaemon } from './support/daemon.ts'
import { docker, dockerTs, run } from './support/programs.ts'

const registry = await scriptedRegistry(t)
registry.add('app', '1', makeImage({ layers: [{ tar: tar({ name: 'a', type: 'file', data: 'a' }) }] }))
const seen: string[] = []

/** Whatever host is asked for, the registry answers: no name has to exist. */
const proxy = createServer((incoming, outgoing) => {
  seen.push(`${incoming.method} ${incoming.url}`)
  const { pathname, search } = new URL(incoming.url ?? '')
  const [host, port] = registry.host.split(':')
  const onward = request({ host, port, method: incoming.method, path: pathname + search, headers: incoming.headers })
  onward.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  incoming.pipe(onward)
})
proxy.on('connect', (incoming, socket) => {
  seen.push(`CONNECT ${incoming.url}`)
  // The registry speaks no TLS: the tunnel is made, and what is said through it fails.
  const [host, port] = registry.host.split(':')
  const onward = connect(Number(port), host, () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    socket.pipe(onward).pipe(socket)
  })
  for (const end of [onward, socket]) end.on('error', () => onward.destroy())
})
await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
const daemon = await startDaemon({
  config: {
    proxies: { 'http-proxy': address, 'https-proxy': address, 'no-proxy': 'direct.test' },
    'insecure-registries': ['registry.test:5000', 'direct.test:5000'],
    debug: true,
  },
  flags: ['--bridge', 'none'],
})
t.teardown(async () => {
  const left = await daemon.stop()
  proxy.closeAllConnections()
  proxy.close()
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
const environment = { DOCKER_HOST: daemon.host }

t.test('a registry is asked by the proxy, HTTPS first and then plain', async (t) => {
  const pulled = await run(docker, ['pull', 'registry.test:5000/app:1'], { environment })
  t.equal(pulled.status, 0, pulled.stderr)
  t.ok(seen.includes('CONNECT registry.test:5000'), 'a tunnel for HTTPS')
  t.ok(seen.includes('GET http://registry.test:5000/v2/app/manifests/1'), 'a request for plain HTTP')
})

t.test('this machine and what no-proxy names are reached without it', async (t) => {
  seen.length = 0
  const own = await run(docker, ['pull', `${registry.host}/app:1`], { environment })
  t.equal(own.status, 0, own.stderr)
  const named = await run(dockerTs, ['pull', 'direct.test:5000/app:1'], { environment })
  t.match(named.stderr, /dial tcp: lookup direct\.test/)
  t.same(seen, [])
})

t.test('secrets are in no log and in no error, at any level', async (t) => {
  const secrets = ['pass-word-7', 'identity-token-7', 'registry-token-7']
  const auths = [
    { username: 'bob', password: secrets[0] },
    { identitytoken: secrets[1] },
    { registrytoken: secrets[2] },
  ]
  const challenges = [`Bearer realm="http://${registry.host}/token",service="s"`, 'Basic realm="x"']
  const texts: string[] = []
  for (const challenge of challenges) {
    registry.script = ({ path }, response) => {
      response.writeHead(401, path.startsWith('/token') ? {} : { 'www-authenticate': challenge }).end()
      return true
    }
    for (const auth of auths) {
      const header = Buffer.from(JSON.stringify({ ...auth, serveraddress: registry.host })).toString('base64url')
      for (const [method, path] of [
        ['POST', `/images/create?fromImage=${registry.host}/app&tag=2`],
        ['POST', `/images/${registry.host}/app/push?tag=1`],
        ['GET', `/distribution/${registry.host}/app:2/json`],
        ['POST', '/auth'],
      ] as const) {
        texts.push(
          await ask(method, path, {
            header,
            ...(path === '/auth' && { body: { ...auth, serveraddress: registry.host } }),
          }),
        )
      }
    }
  }
  registry.script = () => false
  const encoded = secrets.map((secret) => Buffer.from(`bob:${secret}`).toString('base64'))
  for (const secret of [...secrets, ...encoded]) {
    t.notOk(daemon.log().includes(secret), 'not in the log')
    t.notOk(
      texts.some((text) => text.includes(secret)),
      'not in an answer',
    )
  }
  t.ok(
    registry.seen.some(({ authorization }) => authorization === `Basic ${encoded[0]}`),
    'it was sent where it belongs',
  )
})

function ask(method: string, path: string, { header, body }: { header: string; body?: object }): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-registry-auth': header, ...(body && { 'content-type': 'application/json' }) }
    const sent = request({ socketPath: daemon.socket, method, path, headers }, (answer) => {
      let text = ''
      answer.on('data', (chunk) => {
        text += chunk
      })
      answer.on('end', () => resolve(text))
    })
    sent.on('error', reject)
    sent.end(body && JSON.stringify(body))
  })
}
