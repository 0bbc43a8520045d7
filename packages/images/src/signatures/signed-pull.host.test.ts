/** Pulls under a signature policy: from Debian's registry with signatures made here, and from registries that lie. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { dockerRegistry } from '../testing/docker-registry.ts'
import { scriptedRegistry } from '../testing/scripted-registry.ts'
import { makeKey, payloadOf, putManifest, signatureManifest, signed, writePolicy } from '../testing/signatures.ts'
import {
  collect,
  digest,
  type Item,
  list,
  load,
  makeImage,
  never,
  type TestImages,
  tar,
  temporaryDirectory,
  testImages,
  tree,
} from '../testing/test-images.ts'
import { readSignaturePolicy } from './signature-policy.ts'

const key = makeKey('ec')
const strange = makeKey('ec')
const layer = tar({ name: 'a', type: 'file', data: 'a' } satisfies Item)
const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
const ociIndex = 'application/vnd.oci.image.index.v1+json'
const artifactType = 'application/vnd.dev.cosign.artifact.sig.v1+json'

const pull = ({ service }: TestImages, image: string) => collect(service.pull({ image, signal: never }))

/** An image in the registry under `HOST/team/app:1`, pushed by our own client; answers its manifest's digest. */
async function pushed(t: Parameters<typeof testImages>[0], host: string): Promise<string> {
  const images = await testImages(t)
  await load(images, makeImage({ tags: [`${host}/team/app:1`], layers: [{ tar: layer }] }).archive)
  const messages = await collect(images.service.push({ image: `${host}/team/app`, tag: '1', signal: never }))
  return String((messages.at(-1)?.aux as { Digest: string } | undefined)?.Digest)
}

function policyFor(t: Parameters<typeof testImages>[0], host: string) {
  const rules = { [`${host}/team`]: { 'public-keys': ['key.pub'] } }
  const path = writePolicy(temporaryDirectory(t), { default: 'accept', rules }, { 'key.pub': key })
  return { path, signaturePolicy: readSignaturePolicy(path) }
}

const nothingOf = async (t: Test, images: TestImages, label: string) => {
  t.same(await list(images, {}, true), [], label)
  t.same(images.records.listBlobs(), [], label)
  t.same(
    tree(join(images.dataRoot, 'content')).filter((name) => /sha256\/|staging\/|partial\//.test(name)),
    [],
    label,
  )
}

t.test('a signature under the tag scheme lets an image in, and inspect says so', async (t) => {
  const { host } = await dockerRegistry(t)
  const manifest = await pushed(t, host)
  const { path, signaturePolicy } = policyFor(t, host)
  const images = await testImages(t, { registry: { signaturePolicy } })
  const refusal = `pull of ${host}/team/app:1 is refused by the image signature policy: rule "${host}/team" wants a signature of ${manifest}, and the registry has none`
  await t.rejects(pull(images, `${host}/team/app:1`), { kind: 'forbidden', message: refusal })
  await nothingOf(t, images, 'unsigned')

  const put = async (payload: Buffer, by = key) =>
    putManifest(
      `${host}/team/app`,
      `${manifest.replace(':', '-')}.sig`,
      signatureManifest([{ payload, signature: signed(by, payload) }]),
    )
  const good = payloadOf(manifest, `${host}/team/app`)
  await put(good, makeKey('ec'))
  await t.rejects(pull(images, `${host}/team/app:1`), { message: /the one found does not do: no key of the rule/ })
  await put(payloadOf(digest('other'), `${host}/team/app`))
  await t.rejects(pull(images, `${host}/team/app:1`), { message: /it is a signature of "sha256:/ })
  await put(payloadOf(manifest, `${host}/team/other`))
  await t.rejects(pull(images, `${host}/team/app:1`), { message: /it is a signature for "127/ })
  await nothingOf(t, images, 'wrongly signed')

  await put(good)
  for (const image of [`${host}/team/app:1`, `${host}/team/app:1`, `${host}/team/app@${manifest}`])
    await pull(images, image)
  const inspected = await images.service.inspect(`${host}/team/app:1`, { manifests: false })
  t.match(inspected.SignatureVerdicts, [
    {
      Reference: `${host}/team/app@${manifest}`,
      Verdict: 'verified',
      Rule: `${host}/team`,
      SignedReference: `${host}/team/app`,
      Key: join(path, '../key.pub'),
      Fingerprint: /^SHA256:/,
      CheckedAt: /^20/,
    },
  ])

  await put(good, makeKey('ec'))
  await t.rejects(
    pull(images, `${host}/team/app:1`),
    { message: /the one found does not do/ },
    'what is here already is judged anew',
  )
  t.equal((await list(images)).length, 1, 'and stays')
  images.configure({ signaturePolicy: undefined })
  await pull(images, `${host}/team/app:1`)
})

t.test(
  'all images of a prefix are refused before its registry is asked, and others accepted with a verdict',
  async (t) => {
    const registry = await scriptedRegistry(t)
    registry.add('app', '1', makeImage({ layers: [{ tar: layer }] }))
    registry.add('bad/app', '1', makeImage({ layers: [{ tar: layer }] }))
    const policy = writePolicy(temporaryDirectory(t), {
      default: 'accept',
      rules: { [`${registry.host}/bad`]: 'refuse' },
    })
    const images = await testImages(t, { registry: { signaturePolicy: readSignaturePolicy(policy) } })
    await t.rejects(pull(images, `${registry.host}/bad/app:1`), { message: /rule "127.*\/bad" refuses every image$/ })
    t.same(registry.seen, [])
    await pull(images, `${registry.host}/app:1`)
    const { SignatureVerdicts } = await images.service.inspect(`${registry.host}/app:1`, { manifests: false })
    t.match(SignatureVerdicts, [{ Verdict: 'accepted', Rule: 'default' }])
  },
)

async function signedByReferrer(t: Parameters<typeof testImages>[0]) {
  const registry = await scriptedRegistry(t)
  const manifest = registry.add('team/app', '1', makeImage({ layers: [{ tar: layer }] }))
  const { signaturePolicy } = policyFor(t, registry.host)
  const payload = payloadOf(manifest, `${registry.host}/team/app`)
  const signature = signatureManifest([{ payload, signature: signed(key, payload) }], { artifactType })
  const type = 'application/vnd.oci.image.manifest.v1+json'
  registry.content.set(`team/app/manifests/${digest(signature.manifest)}`, { data: signature.manifest, type })
  for (const data of signature.blobs) registry.content.set(`team/app/blobs/${digest(data)}`, { data, type: 'x' })
  const descriptor = {
    mediaType: type,
    digest: digest(signature.manifest),
    size: signature.manifest.length,
    artifactType,
  }
  const index = (manifests: object[]) =>
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }))
  const images = await testImages(t, { registry: { signaturePolicy, retryDelayMs: 1 } })
  return { registry, manifest, images, descriptor, index }
}

t.test('a signature is found as a referrer, over pages and filters', async (t) => {
  const { registry, manifest, images, descriptor, index } = await signedByReferrer(t)
  const base = `/v2/team/app/referrers/${manifest}`
  registry.script = ({ path }, response) => {
    if (!path.startsWith(base)) return false
    const last = path.includes('last=')
    response.writeHead(200, { 'content-type': ociIndex, ...(!last && { link: `<${base}?last=x>; rel="next"` }) })
    response.end(index(last ? [descriptor] : [{ ...descriptor, digest: digest('a bill'), artifactType: 'text/spdx' }]))
    return true
  }
  await pull(images, `${registry.host}/team/app:1`)
  const asked = registry.seen.map(({ path }) => path).filter((path) => path.startsWith(base))
  t.same(asked, [`${base}?${new URLSearchParams({ artifactType })}`, `${base}?last=x`])
  t.notOk(
    registry.seen.some(({ path }) => path.includes(digest('a bill'))),
    'other artifacts are not fetched',
  )
})

t.test('without the referrers API the tag scheme is asked', async (t) => {
  for (const kind of ['404', 'a web page']) {
    const { registry, manifest, images, descriptor, index } = await signedByReferrer(t)
    registry.content.set(`team/app/manifests/${manifest.replace(':', '-')}`, {
      data: index([descriptor]),
      type: ociIndex,
    })
    registry.script = ({ path }, response) => {
      if (!path.includes('/referrers/') || kind === '404') return false
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
      return true
    }
    await pull(images, `${registry.host}/team/app:1`)
    t.equal((await list(images)).length, 1, kind)
  }
})

t.test('hostile signatures cost little and let nothing in', async (t) => {
  const { registry, manifest, images } = await signedByReferrer(t)
  const tag = `team/app/manifests/${manifest.replace(':', '-')}.sig`
  const type = 'application/vnd.oci.image.manifest.v1+json'
  const blobs = () => registry.seen.filter(({ path }) => path.includes('/blobs/')).length
  const payload = payloadOf(manifest, `${registry.host}/team/app`)
  const many = signatureManifest(Array.from({ length: 900 }, () => ({ payload, signature: signed(strange, payload) })))
  const huge = signatureManifest([{ payload: Buffer.alloc(10_000_000), signature: 'AAAA' }])
  const cases: [string, Buffer, readonly Buffer[]][] = [
    ['no JSON', Buffer.from('<html>'), []],
    ['an index', Buffer.from('{"schemaVersion":2,"manifests":[]}'), []],
    ['5 MB', Buffer.alloc(5_000_000, ' '), []],
    ['900 signatures', many.manifest, many.blobs],
    ['a payload of 10 MB', huge.manifest, huge.blobs],
    [
      'a payload that is not what its digest says',
      signatureManifest([{ payload, signature: signed(key, payload) }]).manifest,
      [],
    ],
  ]
  for (const [label, data, content] of cases) {
    registry.content.set(tag, { data, type })
    for (const blob of content) registry.content.set(`team/app/blobs/${digest(blob)}`, { data: blob, type: 'x' })
    if (content.length === 0)
      registry.content.set(`team/app/blobs/${digest(payload)}`, { data: Buffer.from('{}'), type: 'x' })
    registry.seen.length = 0
    await t.rejects(pull(images, `${registry.host}/team/app:1`), { name: 'EngineError' }, label)
    t.ok(blobs() <= 64, `${label}: ${blobs()} blobs`)
    await nothingOf(t, images, label)
  }
})

t.test('what a registry answers badly while signatures are looked for is no permission', async (t) => {
  const { registry, images } = await signedByReferrer(t)
  registry.script = ({ path }, response) => {
    if (!path.endsWith('.sig')) return false
    response.writeHead(500).end()
    return true
  }
  await t.rejects(pull(images, `${registry.host}/team/app:1`), { message: /500/ })
  await nothingOf(t, images, '500')
})

t.test('the signature of an index is one of what it leads to', async (t) => {
  const { registry, manifest, images } = await signedByReferrer(t)
  const child = registry.content.get(`team/app/manifests/${manifest}`)?.data ?? Buffer.alloc(0)
  const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: manifest, size: child.length }
  const platform = { os: 'linux', architecture: 'amd64' }
  const data = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [{ ...entry, platform }] }),
  )
  for (const name of ['1', digest(data)]) registry.content.set(`team/app/manifests/${name}`, { data, type: ociIndex })
  const payload = payloadOf(digest(data), `${registry.host}/team/app`)
  const { manifest: signature, blobs } = signatureManifest([{ payload, signature: signed(key, payload) }])
  registry.content.set(`team/app/manifests/${digest(data).replace(':', '-')}.sig`, { data: signature, type: 'x' })
  for (const blob of blobs) registry.content.set(`team/app/blobs/${digest(blob)}`, { data: blob, type: 'x' })
  await pull(images, `${registry.host}/team/app:1`)
  const { SignatureVerdicts } = await images.service.inspect(`${registry.host}/team/app:1`, { manifests: false })
  t.match(SignatureVerdicts, [{ Reference: `${registry.host}/team/app@${digest(data)}`, Verdict: 'verified' }])
})

const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** As cosign attaches one: an artifact that refers to the manifest, with the bundle as its one layer. */
async function attach(host: string, subject: string, bundle: unknown): Promise<void> {
  const blob = Buffer.from(JSON.stringify(bundle))
  const config = Buffer.from('{}')
  const descriptor = (mediaType: string, data: Buffer) => ({ mediaType, digest: digest(data), size: data.length })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      artifactType: bundleType,
      config: descriptor('application/vnd.oci.empty.v1+json', config),
      layers: [descriptor(bundleType, blob)],
      subject: { mediaType: ociManifest, digest: subject, size: 1 },
    }),
  )
  await putManifest(`${host}/team/app`, digest(manifest), { manifest, blobs: [config, blob] })
  const index = {
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: [{ ...descriptor(ociManifest, manifest), artifactType: bundleType }],
  }
  const list = { manifest: Buffer.from(JSON.stringify(index)), blobs: [], type: ociIndex }
  await putManifest(`${host}/team/app`, subject.replace(':', '-'), list)
}

const statement = (of: string, more: object = {}, name = '') => ({
  _type: 'https://in-toto.io/Statement/v1',
  predicateType: 'https://sigstore.dev/cosign/sign/v1',
  subject: [{ ...(name && { name }), digest: { sha256: of.replace('sha256:', '') } }],
  predicate: {},
  ...more,
})

function envelope(document: object, by = key): object {
  const payload = Buffer.from(JSON.stringify(document))
  const payloadType = 'application/vnd.in-toto+json'
  const signedBytes = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ])
  const signatures = [{ sig: signed(by, signedBytes), keyid: '' }]
  const dsseEnvelope = { payload: payload.toString('base64'), payloadType, signatures }
  return { mediaType: bundleType, verificationMaterial: { publicKey: { hint: 'x' } }, dsseEnvelope }
}

t.test(
  'Sigstore bundles by the rule’s key let an image in, of its digest or of its bytes; others do not',
  async (t) => {
    const { host } = await dockerRegistry(t)
    const manifest = await pushed(t, host)
    const answer = await fetch(`http://${host}/v2/team/app/manifests/1`, { headers: { accept: ociManifest } })
    const bytes = Buffer.from(await answer.arrayBuffer())
    t.equal(digest(bytes), manifest)
    const { signaturePolicy } = policyFor(t, host)
    const images = await testImages(t, { registry: { signaturePolicy } })
    const message = (data: Buffer, by = key) => ({
      mediaType: bundleType,
      verificationMaterial: { publicKey: { hint: 'x' } },
      messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: 'AAAA' }, signature: signed(by, data) },
    })
    const provenance = { predicateType: 'https://slsa.dev/provenance/v1' }
    const swapped = { ...(envelope(statement(manifest)) as { dsseEnvelope: object }) }
    const forged = Buffer.from(JSON.stringify(statement(manifest))).toString('base64')
    const others = envelope(statement(digest('other'))) as { dsseEnvelope: object }
    const bad: [unknown, RegExp][] = [
      [envelope(statement(manifest), strange), /no key of the rule/],
      [envelope(statement(digest('other'))), /it is a signature of "sha256:/],
      [envelope(statement(manifest, provenance)), /no image signature/],
      [envelope(statement(manifest, {}, `${host}/team/other`)), /it is a signature for "127/],
      [{ ...others, dsseEnvelope: { ...others.dsseEnvelope, payload: forged } }, /no key of the rule/],
      [message(bytes, strange), /no key of the rule/],
      [message(Buffer.from('other')), /no key of the rule/],
      [{ ...swapped, mediaType: 'application/x' }, /can not be read/],
      [{}, /can not be read/],
      ['text', /can not be read/],
    ]
    for (const [bundle, reason] of bad) {
      await attach(host, manifest, bundle)
      await t.rejects(pull(images, `${host}/team/app:1`), { kind: 'forbidden', message: reason })
    }
    await nothingOf(t, images, 'badly signed')
    for (const bundle of [
      message(bytes),
      envelope(statement(manifest)),
      envelope(statement(manifest, {}, `${host}/team/app`)),
    ]) {
      await attach(host, manifest, bundle)
      await pull(images, `${host}/team/app:1`)
    }
    const { SignatureVerdicts: verdicts } = await images.service.inspect(`${host}/team/app:1`, { manifests: false })
    t.match(verdicts, [{ Verdict: 'verified', SignedReference: `${host}/team/app` }])
  },
)
