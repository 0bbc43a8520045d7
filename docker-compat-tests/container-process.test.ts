/** What a container's process finds: nothing of the daemon's own process, and an init where one is asked for. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { call, startDaemon } from './support/daemon.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { docker, dockerTs, run } from './support/programs.ts'

// Descriptors and a limit that the daemon is given, and must not hand on: or must, as it was.
const script = 'exec 9</etc/passwd 23>/dev/null; ulimit -Sn 777; exec "$@"'
const capabilities = BigInt(`0x${/^CapEff:\t(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`)
const CAP_SYS_RESOURCE = 24n
const mayLowerScores = ((capabilities >> CAP_SYS_RESOURCE) & 1n) === 1n

// A container's score is what it asks for all the same.
const score = mayLowerScores ? ['--oom-score-adjust', '-500'] : []
const cdiDirectory = mkdtempSync(join(tmpdir(), 'dts-cdi-'))
const daemon = await startDaemon({ flags: ['--bridge', 'none', '--cdi-spec-dir', cdiDirectory, ...score], script })
const environment = { DOCKER_HOST: daemon.host }
await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')

const cli = (program: string, ...argv: string[]) => run(program, argv, { environment })
const network = ['--network', 'none']

const look = `
  for pid in 1 $$; do
    echo "fds $(ls /proc/$pid/fd | tr '\\n' ' ')"
    echo "signals $(grep -E '^Sig(Ign|Blk)' /proc/$pid/status | sort -u | cut -f 2 | tr '\\n' ' ')"
    echo "oom $(cat /proc/$pid/oom_score_adj)"
    echo "files $(grep 'open files' /proc/$pid/limits | awk '{ print $4 }')"
    echo "mask $(umask)"
  done`

t.test('CDI devices: variables, nodes, mounts and hooks that a vendor’s file asks for', async (t) => {
  const hooked = join(cdiDirectory, 'hooked')
  writeFileSync(
    join(cdiDirectory, 'vendor.yaml'),
    `
cdiVersion: 0.6.0
kind: vendor.com/class
devices:
- name: one
  containerEdits:
    env: [FROM_CDI=yes]
    deviceNodes:
    - {path: /dev/nought, hostPath: /dev/zero, permissions: r}
    - {path: /dev/shut, type: c, major: 10, minor: 229, permissions: none}
    mounts: [{hostPath: ${cdiDirectory}, containerPath: /vendor, options: [ro, bind]}]
    hooks: [{hookName: createRuntime, path: /bin/sh, args: [sh, -c, 'echo ran > ${hooked}']}]
`,
  )
  const look = 'echo $FROM_CDI; head -c 2 /dev/nought | wc -c; ls /vendor; cat /dev/shut'
  const device = ['--device', 'vendor.com/class=one']
  const seen = await cli(dockerTs, 'run', '--rm', ...network, ...device, 'busybox', 'sh', '-c', look)
  t.equal(seen.stdout, 'yes\n2\nhooked\nvendor.yaml\n', seen.stderr)
  t.match(seen.stderr, /shut.*: Operation not permitted/)
  t.equal(readFileSync(hooked, 'utf8'), 'ran\n')
  const { json } = await call(daemon.socket, 'GET', '/info')
  t.match(json, {
    CDISpecDirs: [cdiDirectory],
    DiscoveredDevices: [{ Source: 'cdi', ID: 'vendor.com/class=one' }],
  })
  t.match(
    (await cli(dockerTs, 'info')).stdout,
    `
 CDI spec directories:
  ${cdiDirectory}
 Discovered Devices:
  cdi: vendor.com/class=one
`,
  )
  const missing = await cli(dockerTs, 'run', '--rm', ...network, '--device', 'vendor.com/class=two', 'busybox', 'true')
  t.match(missing.stderr, 'CDI device injection failed: unresolvable CDI devices vendor.com/class=two')
})

t.test('writable-cgroups: a container makes groups of its own without being privileged', async (t) => {
  const group = 'for g in /sys/fs/cgroup/pids /sys/fs/cgroup; do [ -w $g/cgroup.procs ] && mkdir $g/own && exit; done'
  const make = (...options: string[]) =>
    cli(dockerTs, 'run', '--rm', ...network, '--cgroupns', 'private', ...options, 'busybox', 'sh', '-c', group)
  const made = await make('--security-opt', 'writable-cgroups=true')
  t.equal(made.status, 0, made.stderr)
  t.not((await make('--security-opt', 'writable-cgroups=false')).status, 0)
})

for (const [name, program] of [
  ['docker', docker],
  ['docker-ts', dockerTs],
] as const) {
  t.test(`${name}: containers and execs get no descriptor, signal, score or limit of the daemon's`, async (t) => {
    const box = `box-${name}`
    const started = await cli(
      program,
      'run',
      '-d',
      ...network,
      '--oom-score-adj',
      '300',
      '--name',
      box,
      'busybox',
      'sleep',
      '1000',
    )
    t.equal(started.status, 0, started.stderr)
    const inside = await cli(program, 'exec', box, 'sh', '-c', look)
    const found = inside.stdout.trim().split('\n')
    t.same(
      found.filter((line) => line.startsWith('oom') || line.startsWith('files') || line.startsWith('mask')),
      [...['oom 300', 'files 777', 'mask 0022'], ...['oom 300', 'files 777', 'mask 0022']],
    )
    t.same(found[0], 'fds 0 1 2 ')
    t.same(found[1], 'signals 0000000000000000 0000000000000000 ', 'of sleep, which handles none')
    const init = Number((await cli(program, 'inspect', '-f', '{{.State.Pid}}', box)).stdout)
    const monitor = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${init}/status`, 'utf8'))?.[1])
    t.equal(readFileSync(`/proc/${monitor}/oom_score_adj`, 'utf8'), mayLowerScores ? '-998\n' : '0\n')
    t.match(
      readFileSync(`/proc/${monitor}/environ`, 'utf8'),
      /^PATH=[^\0]*\0$/,
      'the monitor has a path and nothing else',
    )
    t.equal((await cli(program, 'rm', '-f', box)).status, 0)
    const plain = await cli(program, 'run', '--rm', ...network, 'busybox', 'cat', '/proc/self/oom_score_adj')
    t.equal(plain.stdout, '0\n')
    const fds = await cli(program, 'run', '--rm', ...network, 'busybox', 'ls', '/proc/self/fd')
    t.equal(fds.stdout, '0\n1\n2\n3\n', 'the last is of ls itself')
  })

  t.test(`${name}: --init is PID 1, reaps, hands signals on and gives the code`, async (t) => {
    const ps = await cli(
      program,
      'run',
      '--rm',
      ...network,
      '--init',
      'busybox',
      'sh',
      '-c',
      'tr "\\0" " " < /proc/1/cmdline; cat /proc/1/comm',
    )
    t.equal(ps.stderr, '')
    t.match(ps.stdout, /^\/sbin\/docker-init -- sh -c /)
    t.match(ps.stdout, /docker-init\n$/)
    t.equal((await cli(program, 'run', '--rm', ...network, '--init', 'busybox', 'sh', '-c', 'exit 9')).status, 9)
    t.equal((await cli(program, 'run', '--rm', ...network, '--init', 'busybox', '/no/such')).status, 127)
    const user = await cli(
      program,
      'run',
      '--rm',
      ...network,
      '--init',
      '--user',
      '1000',
      '--cap-drop',
      'ALL',
      'busybox',
      'id',
      '-u',
    )
    t.equal(user.stdout, '1000\n', user.stderr)
    const box = `init-${name}`
    await cli(program, 'run', '-d', ...network, '--init', '--name', box, 'busybox', 'sleep', '1000')
    t.equal((await cli(program, 'stop', box)).status, 0)
    t.equal((await cli(program, 'inspect', '-f', '{{.State.ExitCode}}', box)).stdout, '143\n', 'sleep ended by SIGTERM')
    t.equal((await cli(program, 'rm', box)).status, 0)
  })

  t.test(`${name}: with a terminal the program is its foreground`, async (t) => {
    const script = 'read -r pid _ _ _ group _ _ foreground rest < /proc/self/stat; echo "$((group == foreground))"'
    const { stdout } = await cli(program, 'run', '--rm', '-t', ...network, '--init', 'busybox', 'sh', '-c', script)
    t.equal(stdout, '1\r\n')
  })
}

t.test(
  'binds and volumes that lie in each other: none hides another, in whatever order they are asked for',
  async (t) => {
    const outer = `${daemon.directory}/outer`
    const inner = `${daemon.directory}/inner`
    for (const path of [`${outer}/y/deep`, inner]) mkdirSync(path, { recursive: true })
    writeFileSync(`${outer}/file`, 'outer')
    writeFileSync(`${inner}/file`, 'inner')
    const binds = [`${inner}:/x/y`, `${outer}:/x`, 'nested:/x/y/deep', `${inner}/file:/x/y/deep/file:ro`]
    mkdirSync(`${inner}/deep`)
    for (const order of [binds, [...binds].reverse()]) {
      const flags = order.flatMap((bind) => ['-v', bind])
      const found = await cli(docker, 'run', '--rm', ...network, ...flags, 'busybox', 'find', '/x', '-type', 'f')
      t.equal(found.stderr, '')
      t.strictSame(found.stdout.trim().split('\n').sort(), ['/x/file', '/x/y/deep/file', '/x/y/file'])
      const inside = await cli(docker, 'run', '--rm', ...network, ...flags, 'busybox', 'cat', '/x/y/deep/file')
      t.equal(inside.stdout, 'inner')
    }
    t.strictSame(readdirSync(`${outer}/y`), ['deep'], 'nothing is made where a mount lies')
    await cli(docker, 'volume', 'rm', 'nested')
  },
)

t.test('without a default bridge a container that names no network has its loopback only', async (t) => {
  const found = await cli(dockerTs, 'run', '--name', 'alone', '-p', '80', 'busybox', 'ls', '/sys/class/net')
  t.match(found, { status: 0, stdout: /^lo\n$/ })
  const inspect = await cli(
    dockerTs,
    'inspect',
    '-f',
    '{{.HostConfig.NetworkMode}} {{json .NetworkSettings.Networks}}',
    'alone',
  )
  t.match(inspect.stdout, /^bridge \{"bridge":\{.*"NetworkID":""/)
  t.match(await cli(dockerTs, 'network', 'connect', 'bridge', 'alone'), {
    status: 1,
    stderr: /network bridge not found/,
  })
  await cli(dockerTs, 'network', 'create', 'front')
  t.equal((await cli(dockerTs, 'network', 'connect', 'front', 'alone')).status, 0)
  t.equal((await cli(dockerTs, 'start', '-a', 'alone')).stdout, 'eth0\nlo\n', 'one that is connected later')
  t.equal((await cli(dockerTs, 'rm', 'alone')).status, 0)
  t.equal((await cli(dockerTs, 'network', 'rm', 'front')).status, 0)
})

t.test('nothing is left on the machine', async (t) => {
  rmSync(cdiDirectory, { recursive: true })
  t.same(await daemon.stop(), [])
})
