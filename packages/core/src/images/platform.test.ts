import t from 'tap'
import { formatPlatform, normalizePlatform, parsePlatform, platformDistance } from './platform.ts'

const host = { os: 'linux', architecture: 'amd64' }

t.test('platforms are read in their short and long forms', async (t) => {
  const cases: [string, string][] = [
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['arm64', 'linux/arm64'],
    ['aarch64', 'linux/arm64'],
    ['x86_64', 'linux/amd64'],
    ['linux', 'linux/amd64'],
    ['Linux/AMD64', 'linux/amd64'],
    ['arm', 'linux/arm/v7'],
    ['armel', 'linux/arm/v6'],
  ]
  for (const [text, full] of cases) t.equal(formatPlatform(parsePlatform(text, host)), full, text)
  const bad = ['a/b/c/d', 'foo', ' x', '', 'linux//v8']
  for (const text of bad)
    t.throws(() => parsePlatform(text, host), { kind: 'invalidArgument', message: /invalid argument/ }, text)
})

t.test('what a processor runs is ordered, the rest does not fit', async (t) => {
  const arm = (variant: string) => ({ os: 'linux', architecture: 'arm', variant })
  t.equal(platformDistance(host, { os: 'linux', architecture: 'x86_64' }), 0)
  t.equal(platformDistance(host, { os: 'linux', architecture: 'arm64' }), undefined)
  t.equal(platformDistance(host, { os: 'windows', architecture: 'amd64' }), undefined)
  const best = platformDistance(arm('v7'), arm('v7')) ?? -1
  const older = platformDistance(arm('v7'), arm('v6')) ?? -1
  t.equal(best, 0)
  t.ok(older > best)
  t.equal(platformDistance(arm('v6'), arm('v7')), undefined)
  t.equal(
    platformDistance({ os: 'linux', architecture: 'arm64', variant: 'v8' }, { os: 'linux', architecture: 'arm64' }),
    0,
  )
  t.ok((platformDistance({ os: 'linux', architecture: 'arm64' }, arm('v7')) ?? 0) > 0)
  t.same(normalizePlatform({ os: 'macOS', architecture: 'armhf' }), {
    os: 'darwin',
    architecture: 'arm',
    variant: 'v7',
  })
})
