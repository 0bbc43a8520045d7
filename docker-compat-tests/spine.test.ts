/** The main job end to end: real containers by the real docker CLI and docker-ts, over a crash of the daemon, leaving nothing. */
import t from 'tap'
import { call, root, startDaemon } from './support/daemon.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { docker, dockerTs, run } from './support/programs.ts'

const daemon = await startDaemon()
t.teardown(async () => {
  const left = await daemon.stop()
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
const environment = { DOCKER_HOST: daemon.host }
await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')

for (const [name, program] of [
  ['docker', docker],
  ['docker-ts', dockerTs],
] as const) {
  const cli = (argv: string[], input?: string) =>
    run(program, argv, { environment, ...(input === undefined ? {} : { input }) })

  t.test(`${name}: hello-world is loaded and run`, async (t) => {
    t.match((await cli(['load', '-i', `${root}/dist/hello-world.tar`])).stdout, 'Loaded image: hello-world:latest')
    const result = await cli(['run', '--rm', 'hello-world'])
    t.equal(result.status, 0, result.stderr)
    t.match(result.stdout, 'Hello from dockerd-ts!')
  })

  t.test(`${name}: both streams and the exit code arrive`, async (t) => {
    const result = await cli(['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7'])
    t.same([result.status, result.stdout, result.stderr], [7, 'out\n', 'err\n'])
  })

  t.test(`${name}: stdin is passed and its end is heard`, async (t) => {
    const result = await cli(['run', '--rm', '-i', 'busybox', 'wc', '-c'], 'twelve bytes')
    t.same([result.status, result.stdout.trim()], [0, '12'])
  })

  t.test(`${name}: a read-only root, and files and directories bound read-only`, async (t) => {
    const readOnly = await cli(['run', '--rm', '--read-only', 'busybox', 'touch', '/x'])
    t.same([readOnly.status, readOnly.stderr], [1, 'touch: /x: Read-only file system\n'])
    for (const source of ['/etc/passwd', '/etc']) {
      const target = source === '/etc' ? '/host/passwd' : '/host'
      const bound = await cli([
        'run',
        '--rm',
        '-v',
        `${source}:/host:ro`,
        'busybox',
        'sh',
        '-c',
        `head -n 1 ${target} && echo x > ${target}`,
      ])
      t.equal(bound.status, 1, bound.stderr)
      t.match(bound.stdout, /^root:/)
      t.match(bound.stderr, 'Read-only file system')
    }
  })

  t.test(`${name}: a missing program ends with 127, a missing image with 125`, async (t) => {
    t.equal((await cli(['run', '--rm', 'busybox', '/no/such'])).status, 127)
    t.equal((await cli(['run', '--rm', '--pull=never', 'no-such-image'])).status, 125)
  })

  t.test(`${name}: a detached container is listed, executed in, logged, stopped and removed`, async (t) => {
    t.equal(
      (await cli(['run', '-d', '--name', 'box', 'busybox', 'sh', '-c', 'echo started; exec sleep 1000'])).status,
      0,
    )
    t.match((await cli(['ps', '--format', '{{.Names}} {{.Status}}'])).stdout, /^box Up /)
    t.equal((await cli(['exec', 'box', 'sh', '-c', 'echo inside; exit 3'])).status, 3)
    // The input is over before there is a process to give it to.
    t.match(await cli(['exec', '-i', 'box', 'sh', '-c', 'cat; echo read']), { status: 0, stdout: 'read\n' })
    t.match(await cli(['run', '--rm', '-i', 'busybox', 'sh', '-c', 'cat; echo read']), { status: 0, stdout: 'read\n' })
    t.equal((await cli(['logs', 'box'])).stdout, 'started\n')
    t.equal((await cli(['stop', '-t', '0', 'box'])).stdout, 'box\n')
    t.match((await cli(['ps', '-a', '--format', '{{.Status}}'])).stdout, /^Exited \(137\)/)
    t.equal((await cli(['rm', 'box'])).stdout, 'box\n')
  })
}

t.test('a container outlives kill -9 of the daemon; logs, exec and its exit code are there afterwards', async (t) => {
  const cli = (...argv: string[]) => run(dockerTs, argv, { environment })
  t.equal(
    (
      await cli(
        'run',
        '-d',
        '--name',
        'survivor',
        'busybox',
        'sh',
        '-c',
        'echo one; while [ ! -e /go ]; do sleep 0.1; done; echo two; exit 5',
      )
    ).status,
    0,
  )
  await daemon.kill()
  await daemon.start()
  t.match((await cli('ps', '--format', '{{.Names}}')).stdout, 'survivor')
  t.equal((await cli('exec', 'survivor', 'touch', '/go')).status, 0)
  t.equal((await cli('wait', 'survivor')).stdout, '5\n')
  t.equal((await cli('logs', 'survivor')).stdout, 'one\ntwo\n')
  t.equal((await call(daemon.socket, 'DELETE', '/containers/survivor')).status, 204)
})
