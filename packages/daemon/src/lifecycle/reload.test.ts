import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type DaemonConfig, mergeConfig } from '../config/load-config.ts'
import type { DaemonOptions } from '../config/options.ts'
import { createLogger } from './logger.ts'
import { reloadAttributes, reloadConfiguration } from './reload.ts'

const directory = mkdtempSync(join(tmpdir(), 'dts-reload-'))
t.teardown(() => rmSync(directory, { recursive: true }))

function setUp(flags: DaemonOptions, before: DaemonOptions) {
  const configFile = join(directory, `${Math.random()}.json`)
  const config = mergeConfig(flags, before)
  const steps: string[] = []
  const target = {
    config,
    logger: createLogger({ level: 'fatal', format: 'text' }),
    prepare: async (next: DaemonConfig) => {
      steps.push('prepare')
      if (next['default-runtime'] === 'missing') throw new Error('no such runtime')
      return () => void steps.push('apply')
    },
    published: () => void steps.push('published'),
  }
  const reload = (content: string) => {
    writeFileSync(configFile, content)
    return reloadConfiguration({ flags, configFile, configFileNamed: true }, target)
  }
  return { config, steps, target, reload }
}

t.test('what the file names is checked, then applied, then told', async (t) => {
  const { config, steps, reload } = setUp({}, { labels: ['a=1'] })
  await reload('{"labels": ["a=2"], "live-restore": false, "max-concurrent-downloads": 7}')
  t.same(steps, ['prepare', 'apply', 'published'])
  t.match(config, { labels: ['a=2'], 'live-restore': false, 'max-concurrent-downloads': 7 })
})

t.test('what the file no longer names stays, but for the limits of transfers', async (t) => {
  const { config, reload } = setUp({}, { labels: ['a=1'], 'max-concurrent-downloads': 7 })
  await reload('{}')
  t.same(config.labels, ['a=1'])
  t.equal(config['max-concurrent-downloads'], undefined)
})

t.test('a file with an error changes nothing', async (t) => {
  const wrong = [
    '{bad',
    '{"nope": 1}',
    '{"labels": ["x=1", "nokey"]}',
    '{"labels": ["x=1"], "default-runtime": "missing"}',
  ]
  for (const content of wrong) {
    const { config, steps, reload } = setUp({}, { labels: ['a=1'] })
    await t.rejects(reload(content))
    t.same(config.labels, ['a=1'], content)
    t.notOk(steps.includes('apply'), content)
  }
})

t.test('a directive that is a flag too is refused', async (t) => {
  const { reload } = setUp({ labels: ['a=1'] }, {})
  await t.rejects(reload('{"labels": ["a=2"]}'), { message: /specified both as a flag and in the configuration file/ })
})

t.test('what needs a restart is left alone', async (t) => {
  const { config, reload } = setUp({}, { mtu: 1400 })
  await reload('{"mtu": 1300, "labels": ["b=1"]}')
  t.match(config, { mtu: 1400, labels: ['b=1'] })
})

t.test('debug is switched on and off again', async (t) => {
  const { config, target, reload } = setUp({}, {})
  await reload('{"debug": true}')
  t.equal(target.logger.level, 'debug')
  await reload('{"debug": false, "log-level": "error"}')
  t.equal(target.logger.level, 'error')
  t.equal(config['log-level'], 'error')
})

t.test('the event has the attributes that dockerd 26 sends', async (t) => {
  const { config, reload } = setUp({}, {})
  await reload(
    JSON.stringify({
      labels: ['a=c'],
      debug: true,
      'max-concurrent-downloads': 7,
      'registry-mirrors': ['https://m.example/'],
      'insecure-registries': ['r.example:5000', '10.0.0.0/8'],
      'shutdown-timeout': 30,
      'default-shm-size': '128M',
      runtimes: { x: { path: '/bin/true' } },
      'live-restore': true,
      features: { 'containerd-snapshotter': false },
    }),
  )
  const facts = { hostname: 'vm', cgroupNamespaceMode: 'host', defaultRuntime: 'runc' }
  // Seen on a dockerd 26.1.5 with the same file.
  t.same(reloadAttributes(config, facts), {
    'allow-nondistributable-artifacts': '[]',
    debug: 'true',
    'default-cgroupns-mode': 'host',
    'default-ipc-mode': 'private',
    'default-runtime': 'runc',
    'default-shm-size': '134217728',
    features: 'map[containerd-snapshotter:false]',
    'insecure-registries': '["r.example:5000","10.0.0.0/8"]',
    labels: '["a=c"]',
    'live-restore': 'true',
    'max-concurrent-downloads': '7',
    'max-concurrent-uploads': '5',
    'max-download-attempts': '5',
    name: 'vm',
    'registry-mirrors': '["https://m.example/"]',
    runtimes: 'x:/bin/true',
    'shutdown-timeout': '30',
  })
})
