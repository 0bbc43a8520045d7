/** A registry's storage, mirror of its tokens or upload server that asks for the user's credentials, and never gets them. */
import { text } from 'node:stream/consumers'
import t from 'tap'
import { type ScriptedRegistry, scriptedRegistry } from '../testing/scripted-registry.ts'
import { collect, load, makeImage, never, tar, testImages } from '../testing/test-images.ts'

const secret = 'secret-word'
const auth = { username: 'bob', password: secret }
const basic = `Basic ${Buffer.from(`bob:${secret}`).toString('base64')}`
const quick = { registry: { retryDelayMs: 1, maxDownloadAttempts: 1 } }
const layer = tar({ name: 'a', type: 'file', data: 'a' })

/** Everything that was sent to it, bodies too. */
interface Thief extends ScriptedRegistry {
  heard: string[]
  challenge: string
}

/** Answers every request by asking who it is. */
async function thief(t: Parameters<typeof scriptedRegistry>[0], scheme: 'basic' | 'bearer'): Promise<Thief> {
  const registry = (await scriptedRegistry(t)) as Thief
  registry.heard = []
  registry.challenge =
    scheme === 'basic' ? 'Basic realm="storage"' : `Bearer realm="http://${registry.host}/token",service="storage"`
  registry.script = ({ path }, response, _found, raw) => {
    registry.heard.push(JSON.stringify(raw.headers), path)
    void text(raw).then((body) => {
      registry.heard.push(body)
      if (path.startsWith('/token')) response.writeHead(200).end('{"token":"t"}')
      else response.writeHead(401, { 'www-authenticate': registry.challenge }).end()
    })
    return true
  }
  return registry
}

/** Secrets as they are and as they travel. */
const stolen = ({ heard }: Thief) => heard.filter((one) => [secret, basic.slice(6)].some((word) => one.includes(word)))

for (const scheme of ['basic', 'bearer'] as const) {
  t.test(`storage that asks by ${scheme}`, async (t) => {
    const storage = await thief(t, scheme)
    const registry = await scriptedRegistry(t)
    registry.add('app', '1', makeImage({ layers: [{ tar: layer }] }))
    let redirects = (path: string) => path.includes('/blobs/')
    registry.script = (request, response) => {
      if (redirects(request.path)) {
        response.writeHead(307, { location: `http://${storage.host}/stored` }).end()
        return true
      }
      if (request.authorization === basic) return false
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      return true
    }
    const image = `${registry.host}/app`
    const images = await testImages(t, quick)
    const pull = () => collect(images.service.pull({ image, tag: '1', auth, signal: never }))
    await t.rejects(pull(), { message: /unauthorized/ }, 'a blob')
    t.ok(registry.seen.some(({ authorization }) => authorization === basic))
    redirects = (path) => path.includes('/manifests/')
    await t.rejects(pull(), { message: /unauthorized/ }, 'a manifest')
    await t.rejects(images.service.distribution(`${image}:1`, auth), { message: /unauthorized/ }, 'a descriptor')
    redirects = (path) => path === '/v2/'
    await t.rejects(images.service.login({ ...auth, serveraddress: registry.host }), { message: /401/ }, 'a login')
    t.not(storage.heard.length, 0)
    t.same(stolen(storage), [])
    t.notOk(storage.seen.some(({ path }) => path.startsWith('/token')))
  })

  t.test(`an upload's other server that asks by ${scheme}`, async (t) => {
    const storage = await thief(t, scheme)
    const registry = await scriptedRegistry(t)
    registry.script = ({ method, path, authorization }, response) => {
      if (authorization !== basic) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      else if (method === 'POST') response.writeHead(202, { location: `http://${storage.host}/upload` }).end()
      else return path !== '/v2/' && !!response.writeHead(404).end()
      return true
    }
    const images = await testImages(t, quick)
    await load(images, makeImage({ tags: [`${registry.host}/app:1`], layers: [{ tar: layer }] }).archive)
    const push = collect(images.service.push({ image: `${registry.host}/app`, tag: '1', auth, signal: never }))
    await t.rejects(push, { message: /unauthorized/ })
    t.not(storage.heard.length, 0)
    t.same(stolen(storage), [])
  })
}

t.test('an authorization server that redirects elsewhere gives nothing away', async (t) => {
  const elsewhere = await thief(t, 'basic')
  const registry = await scriptedRegistry(t)
  registry.script = ({ path }, response) => {
    const challenge = `Bearer realm="http://${registry.host}/token",service="s"`
    if (path.startsWith('/token')) response.writeHead(307, { location: `http://${elsewhere.host}/token2` }).end()
    else response.writeHead(401, { 'www-authenticate': challenge }).end()
    return true
  }
  const images = await testImages(t, quick)
  const pull = (as: object) =>
    collect(images.service.pull({ image: `${registry.host}/app`, tag: '1', auth: as, signal: never }))
  await pull(auth).catch(() => {})
  await t.rejects(pull({ identitytoken: secret }), { message: /307/ }, 'a form is not sent on')
  t.not(elsewhere.heard.length, 0)
  t.same(stolen(elsewhere), [])
})

t.test('an identity token goes over no plain HTTP that the registry names, as a password does not', async (t) => {
  const { Authenticator } = await import('./authenticator.ts')
  const sent: string[] = []
  const client = {
    endpoint: { base: 'https://registry.test', mirror: false, insecure: false },
    send: async ({ url }: { url: URL }) => {
      sent.push(url.href)
      throw new Error('sent')
    },
  }
  for (const credentials of [auth, { identitytoken: secret }]) {
    const authenticator = new Authenticator(client as never, credentials)
    authenticator.learn('Bearer realm="http://tokens.test/",service="s"')
    await t.rejects(authenticator.header(['repository:app:pull']), {
      message: 'registry wants credentials over plain HTTP',
    })
  }
  t.same(sent, [])
})
