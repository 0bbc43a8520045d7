/** What a signature policy says, how one is refused, and which signatures do. */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseReference } from '@dockerd-ts/core'
import t from 'tap'
import { makeKey, payloadOf, signed, writePolicy } from '../testing/signatures.ts'
import { digest, temporaryDirectory } from '../testing/test-images.ts'
import { readSignaturePolicy, ruleFor } from './signature-policy.ts'
import { checkSignature } from './simple-signing.ts'

const keys = { ec: makeKey('ec'), rsa: makeKey('rsa'), ed25519: makeKey('ed25519') }
const of = digest('a manifest')

t.test('the longest prefix decides, at the borders of path components', async (t) => {
  const rules = {
    'index.docker.io/library': 'accept',
    'reg.example.com': 'refuse',
    'reg.example.com/team': 'accept',
    'reg.example.com/team/secret': 'refuse',
    '*.example.com': 'accept',
    'localhost:5000': 'accept',
  }
  const policy = readSignaturePolicy(writePolicy(temporaryDirectory(t), { default: 'refuse', rules }))
  const cases = {
    alpine: 'docker.io/library',
    [`alpine:3@${of}`]: 'docker.io/library',
    'team/alpine': 'default',
    'reg.example.com/x': 'reg.example.com',
    'reg.example.com/team/x': 'reg.example.com/team',
    'reg.example.com/teams/x': 'reg.example.com',
    'reg.example.com/team/secret': 'reg.example.com/team/secret',
    'reg.example.com:5000/team/x': 'default',
    'a.b.example.com/x': '*.example.com',
    'example.com/x': 'default',
    'localhost:5000/x': 'localhost:5000',
  }
  for (const [image, rule] of Object.entries(cases)) t.equal(ruleFor(policy, parseReference(image)).name, rule, image)
})

t.test('a policy with an error is refused as a whole, and says what is wrong', async (t) => {
  const directory = temporaryDirectory(t)
  const curve = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
  writeFileSync(join(directory, 'p384'), curve.publicKey.export({ type: 'spki', format: 'pem' }))
  writeFileSync(join(directory, 'private'), curve.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(join(directory, 'none'), 'x')
  const cases: [object | string, RegExp][] = [
    [{}, /default: /],
    ['{', /JSON/],
    [{ default: 'accept', rule: {} }, /"rule"/],
    [{ default: 'maybe' }, /default: /],
    [{ default: { 'public-keys': [] } }, /default/],
    [{ default: 'accept', rules: { alpine: 'refuse' } }, /"alpine" names no registry/],
    [{ default: 'accept', rules: { 'docker.io/library/alpine:1': 'refuse' } }, /has a tag or digest/],
    [{ default: 'accept', rules: { 'docker.io/Library': 'refuse' } }, /lowercase/],
    [{ default: { 'public-keys': ['absent'] } }, /ENOENT.*absent/],
    [{ default: { 'public-keys': ['none'] } }, /none is no public key/],
    [{ default: { 'public-keys': ['private'] } }, /private is a private key/],
    [{ default: { 'public-keys': ['p384'] } }, /only ECDSA P-256/],
    [{ default: { 'public-keys': ['ec'], 'signed-as': 'a.b/c' } }, /signed-as needs a prefix/],
  ]
  for (const [document, message] of cases) {
    const path = writePolicy(directory, typeof document === 'string' ? {} : document, { ec: keys.ec })
    if (typeof document === 'string') writeFileSync(path, document)
    t.throws(() => readSignaturePolicy(path), { kind: 'invalidArgument', message }, JSON.stringify(document))
  }
  t.throws(() => readSignaturePolicy(join(directory, 'nowhere')), { message: /^image signature policy \/.*ENOENT/ })
})

t.test('a signature does only for its key, its bytes, its manifest and its name', async (t) => {
  const directory = temporaryDirectory(t)
  const rules = {
    'reg.test': { 'public-keys': ['ec', 'rsa', 'ed25519'] },
    'mirror.test/quay': { 'public-keys': ['ec'], 'signed-as': 'quay.io' },
  }
  const policy = readSignaturePolicy(writePolicy(directory, { default: 'refuse', rules }, keys))
  const check = (image: string, payload: Buffer, signature: string) => {
    const reference = parseReference(image)
    const rule = ruleFor(policy, reference)
    if (rule.kind !== 'signed') throw new Error('no rule')
    const answer = checkSignature({ payload, signature }, { rule, reference, digest: of })
    return 'reason' in answer ? answer.reason : answer.key.path.slice(directory.length + 1)
  }
  const good = payloadOf(of, 'reg.test/app')
  for (const [name, key] of Object.entries(keys)) t.equal(check('reg.test/app:1', good, signed(key, good)), name)
  const named = (image: string, reference: string) => {
    const payload = payloadOf(of, reference)
    return check(image, payload, signed(keys.ec, payload))
  }
  t.equal(named('reg.test/app:1', 'reg.test/app:1'), 'ec')
  t.equal(named(`reg.test/app@${of}`, 'reg.test/app:1'), 'ec')
  t.equal(named('reg.test/app:1', `reg.test/app@${of}`), 'ec')
  t.match(named('reg.test/app:2', 'reg.test/app:1'), 'it is a signature for "reg.test/app:1"')
  t.match(named('reg.test/app:1', 'reg.test/other'), 'it is a signature for "reg.test/other"')
  t.match(named('reg.test/app:1', `reg.test/app@${digest('x')}`), /^it is a signature for/)
  t.match(named('reg.test/app:1', ''), /^it is a signature for/)
  t.match(named('reg.test/app:1', 'app'), /^it is a signature for/)
  t.equal(named('mirror.test/quay/a/b:1', 'quay.io/a/b'), 'ec')
  t.match(named('mirror.test/quay/a/b:1', 'mirror.test/quay/a/b'), /^it is a signature for/)

  const foreign = 'no key of the rule has made the signature'
  t.equal(check('reg.test/app:1', good, signed(makeKey('ec'), good)), foreign)
  t.equal(check('reg.test/app:1', Buffer.concat([good, Buffer.from(' ')]), signed(keys.ec, good)), foreign)
  for (const text of ['', '!', '====', 'x'.repeat(20_000), Buffer.alloc(72).toString('base64')]) {
    t.equal(check('reg.test/app:1', good, text), foreign, text.slice(0, 10))
  }
  const other = payloadOf(digest('another'), 'reg.test/app')
  t.equal(check('reg.test/app:1', other, signed(keys.rsa, other)), `it is a signature of "${digest('another')}"`)
  for (const text of ['', '[]', 'null', '{"critical":{}}', payloadOf(of, 'reg.test/app', 'attestation').toString()]) {
    const payload = Buffer.from(text)
    t.equal(check('reg.test/app:1', payload, signed(keys.ec, payload)), 'the signed payload is no image signature')
  }
})
