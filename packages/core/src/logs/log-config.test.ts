import t from 'tap'
import { fakeLogTargets } from '../testing/fake-log-targets.ts'
import { logAttributes, logTag } from './log-attributes.ts'
import { checkLogConfig, checkReadable, effectiveLogConfig, logDrivers, logPlan } from './log-config.ts'

const targets = fakeLogTargets()

const origin = {
  containerId: 'abcdef0123456789'.repeat(4),
  containerName: 'web',
  imageId: `sha256:${'1'.repeat(64)}`,
  imageName: 'nginx:1',
  command: ['/bin/sh', '-c', 'x'],
  createdAtNs: 1_700_000_000_000_000_000n,
  hostname: 'host',
  attributes: {},
  tag: 'abcdef012345',
}

t.test('options are refused in Docker’s words', async (t) => {
  const refused: [string, Record<string, string>, string][] = [
    ['nope', {}, 'error looking up logging plugin nope: plugin "nope" not found'],
    ['json-file', { foo: '1' }, "unknown log opt 'foo' for json-file log driver"],
    ['json-file', { mode: 'zz' }, 'logger: logging mode not supported: zz'],
    ['json-file', { 'max-file': '0' }, 'max-file cannot be less than 1'],
    ['json-file', { 'max-size': 'x' }, "invalid size: 'x'"],
    ['json-file', { 'cache-max-size': '1m' }, "unknown log opt 'cache-max-size' for json-file log driver"],
    ['json-file', { 'max-size': '1m', compress: 'maybe' }, 'strconv.ParseBool: parsing "maybe": invalid syntax'],
    [
      'json-file',
      { 'max-size': '1m', compress: 'true' },
      'compress cannot be true when max-file is less than 2 or max-size is not set',
    ],
    [
      'json-file',
      { 'max-buffer-size': '1m' },
      "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
    ],
    ['local', { labels: 'a' }, "unknown log opt 'labels' for local log driver"],
    ['remote', { color: 'red' }, "unknown log opt 'color' for remote log driver"],
    ['remote', { 'max-size': '1m' }, "unknown log opt 'max-size' for remote log driver"],
  ]
  for (const [type, options, message] of refused) {
    t.throws(() => checkLogConfig(type, options, targets), { kind: 'invalidArgument', message })
  }
  t.throws(() => checkLogConfig('json-file', { 'env-regex': '(' }, targets), { message: /^error parsing env-regex/ })
  t.doesNotThrow(() => checkLogConfig('none', { anything: 'goes' }, targets))
  t.doesNotThrow(() => checkLogConfig('remote', { address: 'x', 'cache-max-file': '2' }, targets))
  t.doesNotThrow(() => checkLogConfig('remote', { mode: 'non-blocking', 'max-buffer-size': '4m' }, targets))
  t.same(logDrivers(targets), ['json-file', 'local', 'remote'])
})

t.test('the daemon’s default fills in', async (t) => {
  const daemon = { type: 'json-file', options: { 'max-size': '1m' } }
  t.same(effectiveLogConfig(undefined, daemon), { Type: 'json-file', Config: { 'max-size': '1m' } })
  t.same(effectiveLogConfig({ Type: 'local' }, daemon), { Type: 'local', Config: {} })
})

t.test('what the monitor is told', async (t) => {
  const bounded = { path: '/l', maxSizeBytes: 20 * 1024 ** 2, maxFiles: 5 }
  t.equal(logPlan('/l', { Type: 'none' }, origin), undefined)
  t.same(logPlan('/l', { Type: 'json-file', Config: {} }, origin), bounded)
  t.same(logPlan('/l', { Type: 'local', Config: {} }, origin), { ...bounded, compress: true })
  t.same(logPlan('/l', { Type: 'remote', Config: { 'cache-compress': 'false', 'cache-max-size': '1k' } }, origin), {
    ...bounded,
    maxSizeBytes: 1024,
  })
  const config = { Labels: { team: 'x', other: 'y' }, Env: ['A=1', 'B=2'] }
  const options = { 'max-size': '1.5k', 'max-file': '3', compress: 'true', labels: 'team', 'env-regex': '^A', tag: 't' }
  const attributes = logAttributes(config, options)
  t.same(attributes, { team: 'x', A: '1' })
  t.same(logPlan('/l', { Type: 'json-file', Config: options }, { ...origin, attributes, tag: 't' }), {
    path: '/l',
    maxSizeBytes: 1536,
    maxFiles: 3,
    compress: true,
    attributesJson: '{"team":"x","A":"1","tag":"t"}',
  })
  t.match(logPlan('/l', { Type: 'json-file', Config: { 'max-size': '-1' } }, origin), { maxSizeBytes: 0, maxFiles: 1 })
})

t.test('tags are templates', async (t) => {
  t.equal(logTag(undefined, origin), 'abcdef012345')
  t.equal(logTag('{{.Name}}/{{.ImageName}}', origin), 'web/nginx:1')
  t.equal(
    logTag('{{.FullID}} {{.ImageID}} {{upper .Command}}', origin),
    `${origin.containerId} 111111111111 /BIN/SH -C X`,
  )
  t.throws(() => logTag('{{.Name', origin), { message: /unclosed action/ })
  t.throws(() => logTag('{{.Nope}}', origin), { message: /Nope/ })
})

t.test('what can be read', async (t) => {
  const message = 'configured logging driver does not support reading'
  t.throws(() => checkReadable({ Type: 'none' }), { kind: 'notImplemented', message })
  t.throws(() => checkReadable({ Type: 'remote', Config: { 'cache-disabled': 'true' } }), { message })
  t.doesNotThrow(() => checkReadable({ Type: 'remote', Config: {} }))
})
