import t from 'tap'
import type { OciSpec } from './oci-types.ts'
import { cdiDeviceNames, type SpecEdits, withSpecEdits } from './spec-edits.ts'

const node = { type: 'c', major: 1, minor: 3, fileMode: 0o666 } as const

const spec: OciSpec = {
  ociVersion: '1.0.2',
  process: { user: { uid: 7, gid: 8, additionalGids: [9] }, args: ['sh'], env: ['A=a', 'B=b'], cwd: '/' },
  root: { path: '/root' },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc', options: [] },
    { destination: '/a/b/c', type: 'bind', source: '/one', options: [] },
  ],
  linux: {
    namespaces: [],
    cgroupsPath: '/x',
    resources: { devices: [{ allow: false, access: 'rwm' }] },
    devices: [{ ...node, path: '/dev/a', uid: 0, gid: 0 }],
  },
}
const nothing: SpecEdits = { env: [], devices: [], mounts: [], hooks: [], additionalGids: [] }

t.test('nothing to edit changes nothing', async (t) => {
  t.strictSame(withSpecEdits(spec, nothing), spec)
})

t.test('what is there already gives way, and the rest stays', async (t) => {
  const edited = withSpecEdits(spec, {
    env: ['B=edited', 'C=c'],
    devices: [
      { ...node, path: '/dev/a', minor: 5, uid: 1, access: 'r' },
      { ...node, path: '/dev/b', access: '' },
      { ...node, path: '/dev/p', type: 'p', access: 'rwm' },
    ],
    mounts: [
      { destination: '/a/b/c', type: 'bind', source: '/two', options: ['ro'] },
      { destination: '/a', type: 'bind', source: '/three', options: [] },
    ],
    hooks: [
      { name: 'poststop', path: '/bin/one' },
      { name: 'prestart', path: '/bin/two', args: ['two'] },
      { name: 'poststop', path: '/bin/three' },
    ],
    additionalGids: [0, 9, 44],
  })
  t.strictSame(edited.process.env, ['A=a', 'B=edited', 'C=c'])
  t.strictSame(edited.process.user, { uid: 7, gid: 8, additionalGids: [9, 44] })
  t.strictSame(edited.linux.devices, [
    { ...node, path: '/dev/a', minor: 5, uid: 1, gid: 8 },
    { ...node, path: '/dev/b', uid: 7, gid: 8 },
    { ...node, path: '/dev/p', type: 'p', uid: 7, gid: 8 },
  ])
  t.strictSame(edited.linux.resources.devices, [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 1, minor: 5, access: 'r' },
  ])
  t.strictSame(
    edited.mounts.map(({ destination, source }) => [destination, source]),
    [
      ['/proc', 'proc'],
      ['/a', '/three'],
      ['/a/b/c', '/two'],
    ],
  )
  t.strictSame(edited.hooks, {
    poststop: [{ path: '/bin/one' }, { path: '/bin/three' }],
    prestart: [{ path: '/bin/two', args: ['two'] }],
  })
})

t.test('requests of the driver cdi name devices, and nothing else', async (t) => {
  const names = (...requests: object[]) => cdiDeviceNames({ DeviceRequests: requests })
  t.strictSame(names({ Driver: 'cdi', DeviceIDs: ['a', 'b'] }, { Driver: 'x', DeviceIDs: ['c'] }, { Driver: 'cdi' }), [
    'a',
    'b',
  ])
  t.throws(() => names({ Driver: 'cdi', Count: 1 }), { message: 'unexpected count in CDI device request' })
  t.throws(() => names({ Driver: 'cdi', Options: { a: 'b' } }), { message: 'unexpected options in CDI device request' })
})
