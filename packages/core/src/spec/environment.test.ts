import t from 'tap'
import { buildExecProcess } from './build-exec-process.ts'
import { containerEnvironment, defaultPath, overrideEnvironment } from './environment.ts'
import { parseIntegerList } from './integer-list.ts'
import { mergeTmpfsOptions } from './spec-mounts.ts'

t.test('overrides take the place of the name they set; a bare name removes it', async (t) => {
  t.strictSame(overrideEnvironment(['A=1', 'B=2', 'C=3'], ['B=x', 'D=4', 'A']), ['B=x', 'C=3', 'D=4'])
  t.strictSame(overrideEnvironment(['A=1'], ['A', 'A=2']), ['A=2'])
})

t.test('PATH, HOSTNAME, TERM, links, then what was configured', async (t) => {
  const environment = containerEnvironment({
    hostname: 'box',
    terminal: true,
    linkVariables: ['DB_NAME=/x/db'],
    configured: ['X=1', 'HOSTNAME=mine'],
  })
  t.strictSame(environment, [`PATH=${defaultPath}`, 'HOSTNAME=mine', 'TERM=xterm', 'DB_NAME=/x/db', 'X=1'])
})

const bounding = ['CAP_KILL']
const containerProcess = {
  terminal: true,
  user: { uid: 0, gid: 0, additionalGids: [0] },
  args: ['sh'],
  env: ['ignored=1'],
  cwd: '/srv',
  capabilities: { bounding, effective: bounding, permitted: bounding },
  noNewPrivileges: true,
}
const execInput = {
  containerProcess,
  config: { Env: ['A=1'] },
  hostname: 'box',
  command: ['id'],
  terminal: false,
  privileged: false,
  availableCapabilities: ['CAP_KILL', 'CAP_BPF'],
}

t.test('an exec inherits the container’s process, but not its terminal', async (t) => {
  t.strictSame(buildExecProcess({ ...execInput, environment: ['B=2'] }), {
    user: { uid: 0, gid: 0, additionalGids: [0] },
    args: ['id'],
    env: [`PATH=${defaultPath}`, 'HOSTNAME=box', 'A=1', 'B=2'],
    cwd: '/srv',
    capabilities: { bounding, effective: bounding, permitted: bounding },
    noNewPrivileges: true,
  })
})

t.test('an exec with a terminal, a user, a directory and privileges of its own', async (t) => {
  const all = ['CAP_KILL', 'CAP_BPF']
  const process = buildExecProcess({
    ...execInput,
    user: { uid: 5, gid: 6, additionalGids: [6, 7], home: '/h' },
    workingDirectory: '/tmp',
    terminal: true,
    consoleSize: { height: 2, width: 3 },
    privileged: true,
  })
  t.match(process, { terminal: true, consoleSize: { height: 2, width: 3 }, cwd: '/tmp' })
  t.strictSame(process.user, { uid: 5, gid: 6, additionalGids: [6, 7] })
  t.strictSame(process.env, [`PATH=${defaultPath}`, 'HOSTNAME=box', 'TERM=xterm', 'A=1'])
  t.strictSame(process.capabilities, { bounding: all, effective: all, permitted: all })
})

t.test('tmpfs: the last option of a group counts, defaults give way', async (t) => {
  t.strictSame(mergeTmpfsOptions(''), ['noexec', 'nosuid', 'nodev', 'rprivate'])
  t.strictSame(mergeTmpfsOptions('ro,exec,size=1m,rw,size=2m'), [
    'nosuid',
    'nodev',
    'rprivate',
    'exec',
    'rw',
    'size=2m',
  ])
  t.throws(() => mergeTmpfsOptions('defaults'), { message: 'invalid tmpfs option "defaults"' })
})

t.test('integer lists as the kernel writes them', async (t) => {
  t.strictSame(parseIntegerList('0-2,5', 10), new Set([0, 1, 2, 5]))
  t.strictSame(parseIntegerList('', 10), new Set())
  t.equal(parseIntegerList('2-1', 10), 'invalid format: 2-1')
  t.equal(parseIntegerList('11', 10), 'value of out range, maximum is 10')
})
