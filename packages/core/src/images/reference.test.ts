import fc from 'fast-check'
import t from 'tap'
import {
  familiarName,
  familiarString,
  formatReference,
  isDigest,
  parseReference,
  storedReference,
  withDefaultTag,
} from './reference.ts'

const hex = 'a'.repeat(64)

t.test('names are completed as Docker does', async (t) => {
  const cases: [string, string][] = [
    ['alpine', 'docker.io/library/alpine'],
    ['alpine:3', 'docker.io/library/alpine:3'],
    ['user/app', 'docker.io/user/app'],
    ['docker.io/alpine', 'docker.io/library/alpine'],
    ['index.docker.io/alpine', 'docker.io/library/alpine'],
    ['index.docker.io/user/app:x', 'docker.io/user/app:x'],
    ['localhost/app', 'localhost/app'],
    ['localhost:5000/app:tag', 'localhost:5000/app:tag'],
    ['host.example/a/b/c', 'host.example/a/b/c'],
    ['Host/app', 'Host/app'],
    ['[::1]:5000/app', '[::1]:5000/app'],
    ['a__b/c---d', 'docker.io/a__b/c---d'],
    [`app@sha256:${hex}`, `docker.io/library/app@sha256:${hex}`],
    [`app:1@sha256:${hex}`, `docker.io/library/app:1@sha256:${hex}`],
    ['sha256:abc', 'docker.io/library/sha256:abc'],
  ]
  for (const [text, full] of cases) t.equal(formatReference(parseReference(text)), full, text)
})

t.test('bad references are refused in the words of dockerd 26', async (t) => {
  const cases: [string, string][] = [
    ['UPPER', 'invalid reference format: repository name (library/UPPER) must be lowercase'],
    ['a/UPPER:x', 'invalid reference format: repository name (a/UPPER) must be lowercase'],
    ['-x', 'invalid reference format'],
    ['', 'invalid reference format'],
    ['a:b:c', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['a..b', 'invalid reference format'],
    ['a:', 'invalid reference format'],
    [`a:${'t'.repeat(129)}`, 'invalid reference format'],
    ['foo@sha256:123', 'invalid reference format'],
    [`foo@sha256:${'a'.repeat(33)}`, 'invalid checksum digest length'],
    [`foo@md9:${'a'.repeat(33)}`, 'unsupported digest algorithm'],
    [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
    ['b'.repeat(300), 'repository name must not be more than 255 characters'],
    [`x.y/${'b'.repeat(256)}`, 'repository name must not be more than 255 characters'],
    ['x'.repeat(100_000), 'invalid reference format'],
  ]
  for (const [text, message] of cases) {
    t.throws(() => parseReference(text), { kind: 'invalidArgument', message }, text.slice(0, 40))
  }
})

t.test('shown names leave out what is implied', async (t) => {
  t.equal(familiarString(parseReference('docker.io/library/alpine:3')), 'alpine:3')
  t.equal(familiarName(parseReference('docker.io/user/app:3')), 'user/app')
  t.equal(familiarName(parseReference('docker.io/library/a/b')), 'library/a/b')
  t.equal(familiarString(withDefaultTag(parseReference('localhost:5000/a'))), 'localhost:5000/a:latest')
})

t.test('a digest decides over the tag beside it', async (t) => {
  t.equal(storedReference(parseReference('alpine')), 'docker.io/library/alpine:latest')
  t.equal(storedReference(parseReference(`alpine:3@sha256:${hex}`)), `docker.io/library/alpine@sha256:${hex}`)
  t.ok(isDigest(`sha256:${hex}`))
  t.notOk(isDigest('sha256:abc'))
})

t.test('what is formatted is read back the same, and nothing hangs or fails otherwise', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9._:@/-]{0,80}$/)), (text) => {
      let reference: ReturnType<typeof parseReference>
      try {
        reference = parseReference(text)
      } catch (error) {
        return (error as { kind?: string }).kind === 'invalidArgument'
      }
      return (
        formatReference(parseReference(formatReference(reference))) === formatReference(reference) &&
        formatReference(parseReference(familiarString(reference))) === formatReference(reference)
      )
    }),
    { numRuns: 2000 },
  )
  t.pass('2000 texts')
})
