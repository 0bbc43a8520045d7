/** An import of a tar that the daemon fetches. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { freePort } from '../testing/docker-registry.ts'
import { collect, digest, list, never, tar, testImages, tree } from '../testing/test-images.ts'

const root = tar({ name: 'etc/new', type: 'file', data: 'new' })

async function server(t: { teardown(work: () => unknown): void }, listener: RequestListener): Promise<string> {
  const http = createServer(listener)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    http.closeAllConnections()
    http.close()
  })
  return `127.0.0.1:${(http.address() as AddressInfo).port}`
}

const importFrom = ({ service }: Awaited<ReturnType<typeof testImages>>, sourceName: string, more: object = {}) =>
  collect(service.import({ source: Readable.from([]), sourceName, changes: [], signal: never, ...more }))

t.test('the tar is fetched, compressed or not, over redirects, with a password that is not shown', async (t) => {
  const seen: (string | undefined)[] = []
  const host = await server(t, (request, response) => {
    seen.push(request.headers.authorization)
    if (request.url === '/moved') response.writeHead(302, { location: '/root.tar.gz' }).end()
    else response.end(request.url === '/root.tar.gz' ? gzipSync(root) : root)
  })
  const images = await testImages(t)
  const messages = await importFrom(images, `http://${host}/root.tar`, { repository: 'app', tag: '1' })
  t.same(messages[0], { status: `Downloading from http://${host}/root.tar` })
  t.match(messages.at(-2), { status: 'Importing', progressDetail: { current: root.length } })
  t.match(messages.at(-1), { status: /^sha256:[a-f0-9]{64}$/ })
  const shown = await images.service.inspect('app:1', { manifests: false })
  t.same([shown.Comment, shown.RootFS.Layers], [`Imported from http://${host}/root.tar`, [digest(root)]])
  t.same((await importFrom(images, `${host}/root.tar`))[0], messages[0], 'plain HTTP unless it says otherwise')
  const secret = await importFrom(images, `http://user:p%40ss@${host}/moved`, { repository: 'secret', tag: '1' })
  t.notMatch(JSON.stringify(secret), 'p@ss')
  t.notMatch(JSON.stringify(secret), 'p%40ss')
  t.equal(seen.at(-1), `Basic ${Buffer.from('user:p@ss').toString('base64')}`)
  t.same((await images.service.inspect('secret:1', { manifests: false })).RootFS.Layers, [digest(root)])
})

t.test('what fails is told in dockerd’s words, and leaves nothing', async (t) => {
  const host = await server(t, (request, response) => {
    const status = Number(request.url?.slice(1))
    if (status > 0) response.writeHead(status).end(' said\n')
    else response.writeHead(200, { 'content-length': 9999 }).write(root, () => response.destroy())
  })
  const closed = `127.0.0.1:${await freePort()}`
  const images = await testImages(t)
  const cases: [source: string, kind: string, message: string | RegExp][] = [
    [`http://${host}/404`, 'notFound', `failed to GET http://${host}/404 with status 404 Not Found: said`],
    [`http://${host}/403`, 'forbidden', `failed to GET http://${host}/403 with status 403 Forbidden: said`],
    [`http://${host}/500`, 'internal', `failed to GET http://${host}/500 with status 500 Internal Server Error: said`],
    [`http://${host}/cut`, 'internal', /^Get "http:/],
    [`http://${closed}/x`, 'internal', `Get "http://${closed}/x": dial tcp ${closed}: connect: connection refused`],
    ['ftp://a/x', 'internal', 'Get "ftp://a/x": unsupported protocol scheme "ftp"'],
    ['/x', 'internal', 'Get "http:///x": http: no Host in request URL'],
    ['http:// x/', 'invalidArgument', 'parse "http:// x/": invalid character " " in host name'],
    ['http://a:b/', 'invalidArgument', 'parse "http://a:b/": invalid URL'],
  ]
  for (const [source, kind, message] of cases) {
    await t.rejects(importFrom(images, source, { repository: 'app', tag: '1' }), { kind, message }, source)
  }
  t.same(await list(images, {}, true), [])
  t.same(tree(`${images.dataRoot}/content/staging`), [])
})
