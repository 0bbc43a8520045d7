import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t, { type Test } from 'tap'
import { createCdiDevices } from './cdi-devices.ts'
import { largestSpecBytes } from './spec-document.ts'

interface Fixture {
  devices: ReturnType<typeof createCdiDevices>
  directory: string
  write(name: string, content: string | object): string
}

/** Two directories, `low` and `high`. */
function fixture(t: Test): Fixture {
  const directory = mkdtempSync(path.join(tmpdir(), 'cdi-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  for (const name of ['low', 'high']) mkdirSync(path.join(directory, name))
  return {
    devices: createCdiDevices(['low', 'high', 'none'].map((name) => path.join(directory, name))),
    directory,
    write(name, content) {
      const place = path.join(directory, name)
      writeFileSync(place, typeof content === 'string' ? content : JSON.stringify(content))
      return place
    },
  }
}

const spec = (devices: Record<string, object>, rest: object = {}) => ({
  cdiVersion: '0.6.0',
  kind: 'vendor.com/class',
  devices: Object.entries(devices).map(([name, containerEdits]) => ({ name, containerEdits })),
  ...rest,
})

const yaml = `
cdiVersion: "0.7.0"
kind: vendor.com/net
containerEdits:
  env: ["COMMON=1"]
  hooks:
    - hookName: createContainer
      path: /bin/hook
      args: [hook, update]
      timeout: 5
devices:
  - name: one
    containerEdits:
      env: [ONE=1]
      deviceNodes:
        - path: /dev/one
          hostPath: /dev/zero
          permissions: r
          uid: 7
        - {path: /dev/two, type: b, major: 8, minor: 1, fileMode: 432, permissions: none}
      mounts:
        - {hostPath: /lib/one, containerPath: /opt/one, options: [ro, nosuid, bind]}
      additionalGids: [0, 44]
  - name: other
    containerEdits: {env: [OTHER=1]}
`

t.test('what a file says comes to edits; its own are done once', async (t) => {
  const { devices, write } = fixture(t)
  write('low/net.yaml', yaml)
  t.strictSame(await devices.resolve(['vendor.com/net=other', 'vendor.com/net=one']), {
    env: ['COMMON=1', 'OTHER=1', 'ONE=1'],
    devices: [
      { path: '/dev/one', type: 'c', major: 1, minor: 5, fileMode: 0o666, uid: 7, access: 'r' },
      { path: '/dev/two', type: 'b', major: 8, minor: 1, fileMode: 0o660, access: '' },
    ],
    mounts: [{ destination: '/opt/one', source: '/lib/one', type: 'bind', options: ['ro', 'nosuid', 'bind'] }],
    hooks: [{ name: 'createContainer', path: '/bin/hook', args: ['hook', 'update'], timeout: 5 }],
    additionalGids: [0, 44],
  })
})

t.test('later directories win, equals exclude each other, changes are seen', async (t) => {
  const { devices, write } = fixture(t)
  const env = async (name: string) => (await devices.resolve([`vendor.com/class=${name}`])).env
  const low = write('low/a.json', spec({ one: { env: ['FROM=low'] }, two: { env: ['FROM=low'] } }))
  t.strictSame(await env('one'), ['FROM=low'])
  write('high/a.json', spec({ one: { env: ['FROM=high'] } }))
  t.strictSame(await env('one'), ['FROM=high'])
  const twin = write('low/b.json', spec({ two: { env: ['FROM=twin'] } }))
  await t.rejects(env('two'), {
    kind: 'internal',
    message: 'CDI device injection failed: unresolvable CDI devices vendor.com/class=two',
  })
  t.strictSame(await devices.discover(), {
    names: ['vendor.com/class=one'],
    problems: [
      `CDI: Error associated with spec file ${twin}: ` +
        `conflicting device "vendor.com/class=two" (specs "${low}", "${twin}")`,
    ],
  })
  rmSync(twin)
  t.strictSame(await env('two'), ['FROM=low'])
  write('low/a.json', spec({ one: { env: ['FROM=low'] }, two: { env: ['FROM=new'] } }))
  utimesSync(low, 1, 1)
  t.strictSame(await env('two'), ['FROM=new'])
})

t.test('what cannot be had is named', async (t) => {
  const { devices, write } = fixture(t)
  write('low/a.json', spec({ one: { env: ['A=b'] }, gone: { deviceNodes: [{ path: '/dev/none' }] } }))
  write('low/b.json', {
    ...spec({ rdt: { intelRdt: { closID: 'x' } }, net: { netDevices: [{ hostInterfaceName: 'eth0', name: 'x' }] } }),
    kind: 'vendor.com/other',
  })
  write('low/c.json', {
    ...spec({ block: { deviceNodes: [{ path: '/dev/zero', type: 'b' }] }, file: { deviceNodes: [{ path: '/tmp' }] } }),
    kind: 'vendor.com/wrong',
  })
  const failed = 'CDI device injection failed: '
  for (const [names, message] of [
    [['vendor.com/class=one', 'x', 'vendor.com/class=two'], 'unresolvable CDI devices x, vendor.com/class=two'],
    [
      ['vendor.com/class=gone'],
      'failed to inject devices: failed to stat CDI host device "/dev/none": no such file or directory',
    ],
    [['vendor.com/other=rdt'], 'failed to inject devices: intelRdt is not supported by this engine'],
    [['vendor.com/other=net'], 'failed to inject devices: netDevices are not supported by this engine'],
    [
      ['vendor.com/wrong=block'],
      'failed to inject devices: CDI device ("/dev/zero", "/dev/zero"), host type mismatch (b, c)',
    ],
    [['vendor.com/wrong=file'], 'failed to inject devices: failed to stat CDI host device "/tmp": not a device node'],
  ] as const) {
    await t.rejects(devices.resolve(names), { kind: 'internal', message: failed + message })
  }
  await t.rejects(createCdiDevices([]).resolve(['x']), {
    kind: 'internal',
    message: `${failed}no CDI specification directories specified`,
  })
  t.strictSame(await createCdiDevices([]).discover(), { names: [], problems: [] })
})

t.test('files that are wrong, hostile or no files are told, and the others count', async (t) => {
  const { devices, directory, write } = fixture(t)
  write('low/good.json', spec({ one: { env: ['A=b'] } }))
  write('low/ignored.txt', '{')
  const edits = { env: ['A=b'] }
  const bombs = Array.from({ length: 12 }, (_, level) => `a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]`)
  const wrong: Record<string, string | object> = {
    syntax: '{',
    empty: '',
    list: '[]',
    version: { ...spec({ one: edits }), cdiVersion: '9.9.9' },
    kind: { ...spec({ one: edits }), kind: 'vendor' },
    unknown: { ...spec({ one: edits }), more: 1 },
    name: spec({ '-x': edits }),
    twice: { ...spec({}), devices: Array(2).fill({ name: 'one', containerEdits: edits }) },
    nothing: spec({ one: {} }),
    none: spec({}),
    env: spec({ one: { env: ['=b'] } }),
    permissions: spec({ one: { deviceNodes: [{ path: '/dev/x', permissions: 'q' }] } }),
    negative: spec({ one: { deviceNodes: [{ path: '/dev/x', major: -1 }] } }),
    hook: spec({ one: { hooks: [{ hookName: 'nonsense', path: '/x' }] } }),
    large: ' '.repeat(largestSpecBytes + 1),
    bomb: ['a-1: &a-1 [x]', ...bombs].join('\n').replaceAll('a-1', 'z'),
    deep: '['.repeat(100_000),
    prototype: '{"__proto__":{"kind":"vendor.com/class"}}',
  }
  for (const [name, content] of Object.entries(wrong)) write(`high/${name}.yaml`, content)
  execFileSync('mkfifo', [path.join(directory, 'high/fifo.yaml')])
  mkdirSync(path.join(directory, 'high/directory.yaml'))
  const { names, problems } = await devices.discover()
  t.strictSame(names, ['vendor.com/class=one'])
  const told = problems.map((text) => /high\/(\w+)\.yaml: failed to load CDI Spec ./.exec(text)?.[1])
  t.strictSame(told, [...Object.keys(wrong), 'directory', 'fifo'].sort())
})
