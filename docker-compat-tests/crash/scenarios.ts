/** What a client does to reach each crash point, and how it does it again after the restart. */
import type { CrashPoint } from '@dockerd-ts/core'
import type { Test } from 'tap'
import { call, type TestDaemon } from '../support/daemon.ts'
import { type Result, run } from '../support/programs.ts'

export interface Stage {
  t: Test
  daemon: TestDaemon
  program: string
  /** An address of a registry that has `box:1`. */
  registry: string
  archives: { rootfs: string; image: string; index: string }
}

export interface Scenario {
  name: string
  points: CrashPoint[]
  /** Before; must not reach the point. */
  prepare?: (stage: Stage) => Promise<unknown>
  /** Reaches it. */
  act: (stage: Stage) => Promise<unknown>
  /** After the restart: the same again, with success, and what it has to have done. */
  again: (stage: Stage) => Promise<unknown>
}

export const cli = (stage: Stage, ...argv: string[]): Promise<Result> =>
  run(stage.program, argv, { environment: { DOCKER_HOST: stage.daemon.host } })

/** Must succeed; answers stdout. */
export async function does(stage: Stage, ...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await cli(stage, ...argv)
  stage.t.equal(status, 0, `${argv.slice(0, 3).join(' ')}: ${stderr}`)
  return stdout
}

const exists = async ({ daemon }: Stage, path: string): Promise<boolean> =>
  (await call(daemon.socket, 'GET', path)).status === 200

/** Says what it does, waits for /go, and ends with 7. */
const patient = 'echo begun; while [ ! -e /go ]; do sleep 0.05; done; echo ended; exit 7'
const obedient = 'trap "echo term; exit 9" TERM; echo begun; touch /begun; while :; do sleep 0.05; done'

const runBox = (stage: Stage, script: string, ...options: string[]) =>
  does(stage, 'run', '-d', '--name', 'box', ...options, 'busybox', 'sh', '-c', script)

const letGo = (stage: Stage) => cli(stage, 'exec', 'box', 'touch', '/go')

/** It runs still: let it end, and see that neither output nor exit code were lost. */
async function endsWhole(stage: Stage): Promise<void> {
  await letGo(stage)
  stage.t.equal(await does(stage, 'wait', 'box'), '7\n', 'the exit code is there')
  stage.t.equal(await does(stage, 'logs', 'box'), 'begun\nended\n', 'the output is there, once')
}

const creation: Scenario = {
  name: 'create',
  points: [
    'create:recorded',
    'create:root-filesystem-made',
    'create:volumes-made',
    'create:done',
    'volume:directories-made',
    'volume:recorded',
    'volume:content-staged',
    'volume:content-moving',
  ],
  act: (stage) => cli(stage, 'create', '--name', 'box', '-v', '/anonymous', '-v', 'named:/etc', 'busybox', 'true'),
  async again(stage) {
    if (await exists(stage, '/containers/box/json')) await does(stage, 'rm', '-v', 'box')
    const script = 'ls /etc | sort; stat -c %a:%u /etc'
    const options = ['-v', '/anonymous', '-v', 'named:/etc']
    const seen = await does(stage, 'run', '--name', 'box', ...options, 'busybox', 'sh', '-c', script)
    stage.t.equal(
      seen,
      'group\nhostname\nhosts\nmtab\npasswd\nresolv.conf\n755:0\n',
      'the volume holds all of the image’s',
    )
  },
}

const start: Scenario = {
  name: 'start',
  points: [
    'start:recorded',
    'start:root-filesystem-mounted',
    'start:network-connected',
    'endpoint:recorded',
    'start:monitor-prepared',
    'start:prepared',
    'start:spec-written',
    'start:process-started',
    'start:running-recorded',
  ],
  prepare: (stage) =>
    does(stage, 'create', '--name', 'box', '-p', '127.0.0.1::80', '-v', 'named:/v', 'busybox', 'sh', '-c', patient),
  act: (stage) => cli(stage, 'start', 'box'),
  async again(stage) {
    await does(stage, 'start', 'box')
    await endsWhole(stage)
  },
}

const exit: Scenario = {
  name: 'exit',
  points: ['exit:seen', 'exit:recorded', 'exit:network-released', 'exit:unmounted'],
  prepare: (stage) => runBox(stage, patient, '-p', '127.0.0.1::80', '-v', 'named:/v'),
  act: letGo,
  async again(stage) {
    stage.t.equal(await does(stage, 'wait', 'box'), '7\n', 'the exit code is there')
    stage.t.equal(await does(stage, 'logs', 'box'), 'begun\nended\n', 'the output is there')
    await does(stage, 'start', 'box')
    stage.t.equal(await does(stage, 'wait', 'box'), '7\n')
    stage.t.equal(await does(stage, 'logs', 'box'), 'begun\nended\n'.repeat(2))
  },
}

const restart: Scenario = {
  name: 'restart by policy',
  points: ['restart:scheduled'],
  prepare: (stage) => runBox(stage, patient, '--restart', 'on-failure:3'),
  act: letGo,
  async again(stage) {
    stage.t.equal(await does(stage, 'wait', 'box'), '7\n')
    // The wait may have seen one of several ends.
    for (;;) {
      const { json } = await call(stage.daemon.socket, 'GET', '/containers/box/json')
      const { State, RestartCount } = json as { State: { Status: string }; RestartCount: number }
      if (State.Status !== 'exited') continue
      stage.t.equal(RestartCount, 3, 'the policy went on to its end')
      break
    }
    stage.t.equal(await does(stage, 'logs', 'box'), 'begun\nended\n'.repeat(4))
  },
}

const stop: Scenario = {
  name: 'stop',
  points: ['stop:recorded', 'stop:signalled'],
  async prepare(stage) {
    await runBox(stage, obedient)
    await hasBegun(stage)
  },
  act: (stage) => cli(stage, 'stop', '-t', '20', 'box'),
  async again(stage) {
    await does(stage, 'stop', '-t', '20', 'box')
    stage.t.equal(await does(stage, 'wait', 'box'), '9\n', 'the exit code is there')
    stage.t.equal(await does(stage, 'logs', 'box'), 'begun\nterm\n')
  },
}

async function hasBegun(stage: Stage): Promise<void> {
  await does(stage, 'exec', 'box', 'sh', '-c', 'while [ ! -e /begun ]; do sleep 0.02; done')
}

const kill: Scenario = {
  ...stop,
  name: 'kill',
  points: ['kill:signalled'],
  act: (stage) => cli(stage, 'kill', '-s', 'TERM', 'box'),
  async again(stage) {
    stage.t.equal(await does(stage, 'wait', 'box'), '9\n', 'the exit code is there')
    await does(stage, 'start', 'box')
    await does(stage, 'kill', 'box')
    stage.t.equal(await does(stage, 'wait', 'box'), '137\n')
  },
}

async function isPaused({ daemon }: Stage): Promise<boolean> {
  const { json } = await call(daemon.socket, 'GET', '/containers/box/json')
  return (json as { State: { Paused: boolean } }).State.Paused
}

const pause: Scenario = {
  name: 'pause',
  points: ['pause:frozen'],
  prepare: (stage) => runBox(stage, patient),
  act: (stage) => cli(stage, 'pause', 'box'),
  async again(stage) {
    if (!(await isPaused(stage))) await does(stage, 'pause', 'box')
    await does(stage, 'unpause', 'box')
    await endsWhole(stage)
  },
}

const unpause: Scenario = {
  name: 'unpause',
  points: ['unpause:thawed'],
  async prepare(stage) {
    await runBox(stage, patient)
    await does(stage, 'pause', 'box')
  },
  act: (stage) => cli(stage, 'unpause', 'box'),
  async again(stage) {
    if (await isPaused(stage)) await does(stage, 'unpause', 'box')
    await endsWhole(stage)
  },
}

const copyOut: Scenario = {
  name: 'copy out',
  points: ['archive:opened'],
  prepare: (stage) => does(stage, 'create', '--name', 'box', '-v', '/volume', 'busybox', 'true'),
  act: (stage) => cli(stage, 'cp', 'box:/etc/passwd', '-'),
  async again(stage) {
    stage.t.match(await does(stage, 'cp', 'box:/etc/passwd', '-'), 'root:x:0:0')
    await does(stage, 'rm', '-v', 'box')
  },
}

const copyIn: Scenario = {
  name: 'copy in',
  points: ['extract:opened', 'extract:written'],
  prepare: (stage) => does(stage, 'create', '--name', 'box', '-v', '/volume', 'busybox', 'cat', '/volume/hosts'),
  act: (stage) => cli(stage, 'cp', '/etc/hosts', 'box:/volume/hosts'),
  async again(stage) {
    await does(stage, 'cp', '/etc/hosts', 'box:/volume/hosts')
    stage.t.match(await does(stage, 'start', '-a', 'box'), 'localhost')
    await does(stage, 'rm', '-v', 'box')
  },
}

const commit: Scenario = {
  name: 'commit',
  points: ['commit:paused', 'commit:packed', 'commit:done'],
  prepare: (stage) => runBox(stage, patient),
  act: (stage) => cli(stage, 'commit', 'box', 'committed'),
  async again(stage) {
    stage.t.notOk(await isPaused(stage), 'a pause for a commit ends with it')
    if (await exists(stage, '/images/committed/json')) await does(stage, 'rmi', 'committed')
    await does(stage, 'commit', 'box', 'committed')
    stage.t.equal(await does(stage, 'run', '--rm', 'committed', 'echo', 'runs'), 'runs\n')
    await endsWhole(stage)
    await does(stage, 'rm', 'box')
    await does(stage, 'rmi', 'committed')
  },
}

const rename: Scenario = {
  name: 'rename',
  points: ['rename:recorded'],
  prepare: (stage) => runBox(stage, patient),
  act: (stage) => cli(stage, 'rename', 'box', 'other'),
  async again(stage) {
    if (await exists(stage, '/containers/box/json')) await does(stage, 'rename', 'box', 'other')
    await does(stage, 'rename', 'other', 'box')
    await endsWhole(stage)
  },
}

const update: Scenario = {
  name: 'update',
  points: ['update:applied'],
  prepare: (stage) => runBox(stage, patient),
  act: (stage) => cli(stage, 'update', '--memory', '64m', '--memory-swap', '64m', 'box'),
  async again(stage) {
    await does(stage, 'update', '--memory', '32m', '--memory-swap', '64m', 'box')
    stage.t.equal(await does(stage, 'inspect', '-f', '{{.HostConfig.Memory}}', 'box'), `${32 * 2 ** 20}\n`)
    await endsWhole(stage)
  },
}

const removeAgain = async (stage: Stage) => {
  if (await exists(stage, '/containers/box/json')) await does(stage, 'rm', '-v', 'box')
  await does(stage, 'run', '--name', 'box', 'busybox', 'true')
}

const remove: Scenario[] = [
  {
    name: 'remove with a volume',
    points: [
      'remove:recorded',
      'remove:root-filesystem-removed',
      'volume:moved-aside',
      'volume:row-deleted',
      'remove:files-removed',
      'remove:row-deleted',
    ],
    prepare: (stage) => does(stage, 'create', '--name', 'box', '-v', '/anonymous', 'busybox', 'true'),
    act: (stage) => cli(stage, 'rm', '-v', 'box'),
    again: removeAgain,
  },
  {
    name: 'remove',
    points: ['remove:recorded', 'remove:root-filesystem-removed', 'remove:log-kept', 'remove:files-removed'],
    prepare: (stage) => does(stage, 'create', '--name', 'box', 'busybox', 'true'),
    act: (stage) => cli(stage, 'rm', 'box'),
    again: removeAgain,
  },
  {
    name: 'the end of run --rm',
    points: ['exit:recorded', 'remove:recorded', 'remove:files-removed'],
    act: (stage) => cli(stage, 'run', '--rm', '--name', 'box', '-v', '/anonymous', 'busybox', 'echo', 'x'),
    async again(stage) {
      stage.t.notOk(await exists(stage, '/containers/box/json'), 'the new daemon has removed it')
      stage.t.equal(await does(stage, 'run', '--rm', '--name', 'box', 'busybox', 'echo', 'x'), 'x\n')
    },
  },
]

const exec: Scenario = {
  name: 'exec',
  points: ['exec:recorded', 'exec:process-started', 'exec:exited'],
  prepare: (stage) => runBox(stage, patient),
  act: (stage) => cli(stage, 'exec', 'box', 'sh', '-c', 'echo hi; exit 3'),
  async again(stage) {
    const { status, stdout } = await cli(stage, 'exec', 'box', 'sh', '-c', 'echo hi; exit 3')
    stage.t.same([status, stdout], [3, 'hi\n'])
    await endsWhole(stage)
  },
}

const health: Scenario = {
  name: 'health',
  points: ['health:probed'],
  act(stage) {
    const options = ['--health-cmd', 'true', '--health-interval', '1s']
    return cli(stage, 'run', '-d', '--name', 'box', ...options, 'busybox', 'sh', '-c', patient)
  },
  async again(stage) {
    for (;;) {
      const { stdout } = await cli(stage, 'inspect', '-f', '{{.State.Health.Status}}', 'box')
      if (stdout === 'healthy\n') break
    }
    await endsWhole(stage)
  },
}

const createNetwork = (stage: Stage) =>
  cli(stage, 'network', 'create', '-o', `com.docker.network.bridge.name=${stage.daemon.bridge}n`, 'net')

const networkWorks = async (stage: Stage) => {
  if (!(await exists(stage, '/networks/net')))
    stage.t.equal((await createNetwork(stage)).status, 0, 'the network is made')
  const script = 'ip -4 addr show eth0 | grep -c inet'
  stage.t.equal(await does(stage, 'run', '--rm', '--network', 'net', 'busybox', 'sh', '-c', script), '1\n')
  await does(stage, 'network', 'rm', 'net')
}

const networks: Scenario[] = [
  {
    name: 'network create',
    points: ['network:recorded', 'network:bridge-made'],
    act: createNetwork,
    again: networkWorks,
  },
  {
    name: 'network remove',
    points: ['network:bridge-removed', 'network:row-deleted'],
    prepare: createNetwork,
    act: (stage) => cli(stage, 'network', 'rm', 'net'),
    async again(stage) {
      if (await exists(stage, '/networks/net')) await does(stage, 'network', 'rm', 'net')
      await networkWorks(stage)
    },
  },
]

const connected = async (stage: Stage) =>
  (await does(stage, 'inspect', '-f', '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}', 'box')).includes(
    'net ',
  )

const interfaces = (stage: Stage) => does(stage, 'exec', 'box', 'sh', '-c', 'ls /sys/class/net | grep -c eth')

const connections: Scenario[] = [
  {
    name: 'network connect',
    points: ['connect:recorded', 'connect:interface-added'],
    async prepare(stage) {
      await createNetwork(stage)
      await runBox(stage, patient, '-p', '127.0.0.1::80')
    },
    act: (stage) => cli(stage, 'network', 'connect', 'net', 'box'),
    async again(stage) {
      if (!(await connected(stage))) await does(stage, 'network', 'connect', 'net', 'box')
      stage.t.equal(await interfaces(stage), '2\n')
      await does(stage, 'network', 'disconnect', 'net', 'box')
      stage.t.equal(await interfaces(stage), '1\n')
      await endsWhole(stage)
    },
  },
  {
    name: 'network disconnect',
    points: ['disconnect:interface-removed', 'disconnect:recorded'],
    async prepare(stage) {
      await createNetwork(stage)
      await runBox(stage, patient, '-p', '127.0.0.1::80')
      await does(stage, 'network', 'connect', 'net', 'box')
    },
    act: (stage) => cli(stage, 'network', 'disconnect', 'net', 'box'),
    async again(stage) {
      if (await connected(stage)) await does(stage, 'network', 'disconnect', 'net', 'box')
      stage.t.equal(await interfaces(stage), '1\n')
      await does(stage, 'network', 'connect', 'net', 'box')
      stage.t.equal(await interfaces(stage), '2\n')
      await endsWhole(stage)
    },
  },
]

const volumes: Scenario[] = [
  {
    name: 'volume create',
    points: ['volume:directories-made', 'volume:recorded'],
    act: (stage) => cli(stage, 'volume', 'create', 'named'),
    again: (stage) => does(stage, 'volume', 'create', 'named'),
  },
  {
    name: 'volume remove',
    points: ['volume:moved-aside', 'volume:row-deleted'],
    prepare: (stage) => does(stage, 'volume', 'create', 'named'),
    act: (stage) => cli(stage, 'volume', 'rm', 'named'),
    async again(stage) {
      stage.t.notOk(await exists(stage, '/volumes/named'), 'the new daemon has removed it')
      await does(stage, 'volume', 'create', 'named')
    },
  },
]

const stored: CrashPoint[] = [
  'blob:staged',
  'blob:moved',
  'blob:recorded',
  'layer:unpacked',
  'layer:moved',
  'layer:recorded',
  'image:recorded',
]
const deleted: CrashPoint[] = ['image:rows-deleted', 'image:files-moved-aside', 'image:files-deleted']

const runs = async (stage: Stage, image: string) =>
  stage.t.equal(await does(stage, 'run', '--rm', image, '/bin/echo', 'works'), 'works\n')

const load = (stage: Stage) => cli(stage, 'load', '-i', stage.archives.image)

/** On a daemon without images. */
export const imageScenarios: Scenario[] = [
  {
    name: 'load',
    points: stored,
    act: load,
    async again(stage) {
      await does(stage, 'load', '-i', stage.archives.image)
      await runs(stage, 'box:1')
    },
  },
  {
    name: 'load of an index',
    points: ['blob:recorded', 'layer:recorded', 'index:prepared', 'image:recorded'],
    act: (stage) => cli(stage, 'load', '-i', stage.archives.index),
    async again(stage) {
      await does(stage, 'load', '-i', stage.archives.index)
      for (const architecture of ['amd64', 'arm64']) {
        const platform = encodeURIComponent(JSON.stringify({ os: 'linux', architecture }))
        stage.t.ok(await exists(stage, `/v1.49/images/boxes:1/json?platform=${platform}`), architecture)
      }
    },
  },
  {
    name: 'pull',
    points: stored,
    act: (stage) => cli(stage, 'pull', `${stage.registry}/box:1`),
    async again(stage) {
      await does(stage, 'pull', `${stage.registry}/box:1`)
      await runs(stage, `${stage.registry}/box:1`)
    },
  },
  {
    name: 'import',
    points: ['blob:moved', 'layer:moved', 'image:recorded'],
    act: (stage) => cli(stage, 'import', stage.archives.rootfs, 'box:1'),
    async again(stage) {
      await does(stage, 'import', stage.archives.rootfs, 'box:1')
      await runs(stage, 'box:1')
    },
  },
  {
    name: 'rmi',
    points: deleted,
    prepare: load,
    act: (stage) => cli(stage, 'rmi', 'box:1'),
    async again(stage) {
      stage.t.notOk(await exists(stage, '/images/box:1/json'), 'it is gone')
      await does(stage, 'load', '-i', stage.archives.image)
      await runs(stage, 'box:1')
      await does(stage, 'rmi', 'box:1')
    },
  },
  {
    name: 'image prune',
    points: deleted,
    prepare: load,
    act: (stage) => cli(stage, 'image', 'prune', '-af'),
    again: (stage) => does(stage, 'image', 'prune', '-af'),
  },
]

/** On a daemon that has `busybox`. */
export const containerScenarios: Scenario[] = [
  creation,
  start,
  exit,
  restart,
  stop,
  kill,
  pause,
  copyOut,
  copyIn,
  commit,
  unpause,
  rename,
  update,
  ...remove,
  exec,
  health,
  ...networks,
  ...connections,
  ...volumes,
]
