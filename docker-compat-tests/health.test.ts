/** Health checks by the real docker CLI and docker-ts: state, events, the daemon's restart; nothing is left of a probe. */
import t from 'tap'
import { call, startDaemon } from './support/daemon.ts'
import { nextEvent } from './support/events.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { docker, dockerTs, run } from './support/programs.ts'

const daemon = await startDaemon()
t.teardown(async () => {
  const left = await daemon.stop()
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
const environment = { DOCKER_HOST: daemon.host }
await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')

interface Health {
  Status: string
  FailingStreak: number
  Log: { ExitCode: number; Output: string }[]
}

async function healthOf(name: string): Promise<Health | undefined> {
  const { json } = await call(daemon.socket, 'GET', `/containers/${name}/json`)
  return (json as { State: { Health?: Health } }).State.Health
}

const healthEvent = (name: string, status: string) => nextEvent(daemon.socket, name, `health_status: ${status}`)

for (const [name, program] of [
  ['docker', docker],
  ['docker-ts', dockerTs],
] as const) {
  const cli = (...argv: string[]) => run(program, argv, { environment })

  t.test(`${name}: healthy while the check succeeds, unhealthy when it fails`, async (t) => {
    const container = `${name}-web`
    const check = ['--health-cmd', 'cat /tmp/state', '--health-interval', '200ms', '--health-retries', '2']
    const started = await cli('run', '-d', '--name', container, ...check, 'busybox', 'sh', '-c', 'sleep 600')
    t.equal(started.status, 0, started.stderr)
    t.match((await healthOf(container))?.Status, /starting|unhealthy/)
    await cli('exec', container, 'sh', '-c', 'echo all well > /tmp/state')
    await healthEvent(container, 'healthy')
    t.match(await healthOf(container), { Status: 'healthy', FailingStreak: 0 })
    t.match((await healthOf(container))?.Log.at(-1), { ExitCode: 0, Output: 'all well\n' })
    const listed = await cli('ps', '--filter', 'health=healthy', '--format', '{{.Names}} {{.Status}}')
    t.match(listed.stdout, new RegExp(`^${container} Up .* \\(healthy\\)\n$`))
    await cli('exec', container, 'rm', '/tmp/state')
    await healthEvent(container, 'unhealthy')
    const health = await healthOf(container)
    t.match(health?.Log.at(-1), { ExitCode: 1, Output: /can't open '\/tmp\/state'/ })
    t.ok((health?.Log.length ?? 0) <= 5)
    await cli('stop', '-t', '0', container)
    t.equal((await healthOf(container))?.Status, 'unhealthy')
    await cli('rm', container)
  })

  t.test(`${name}: a probe that hangs is killed`, async (t) => {
    const container = `${name}-slow`
    const check = [
      '--health-cmd',
      'echo begun; exec sleep 555',
      '--health-interval',
      '100ms',
      '--health-timeout',
      '300ms',
    ]
    await cli('run', '-d', '--name', container, ...check, '--health-retries', '1', 'busybox', 'sleep', '600')
    await healthEvent(container, 'unhealthy')
    t.match((await healthOf(container))?.Log[0], {
      ExitCode: -1,
      Output: 'Health check exceeded timeout (300ms): begun\n',
    })
    await cli('rm', '-f', container)
  })

  t.test(`${name}: --no-healthcheck, and what is no time`, async (t) => {
    const none = await cli('create', '--name', `${name}-none`, '--no-healthcheck', 'busybox')
    t.equal(none.status, 0, none.stderr)
    const shown = await cli('inspect', '-f', '{{json .Config.Healthcheck}}{{.State.Health}}', `${name}-none`)
    t.equal(shown.stdout, '{"Test":["NONE"]}<nil>\n')
    await cli('rm', `${name}-none`)
    const short = await cli('create', '--health-cmd', 'x', '--health-interval', '10us', 'busybox')
    t.equal(short.stderr, 'Error response from daemon: Interval in Healthcheck cannot be less than 1ms\n')
  })
}

t.test('probing goes on after the daemon was killed, and the probe of the dead one is ended', async (t) => {
  // Only one probe hangs: the one that takes the file away.
  const check = 'test ! -e /tmp/bad && { ! rm /tmp/hang 2>/dev/null || exec sleep 444; }'
  const Healthcheck = { Test: ['CMD-SHELL', check], Interval: 2e8, Timeout: 6e10, Retries: 1 }
  const body = { Image: 'busybox', Cmd: ['sleep', '600'], Healthcheck }
  await call(daemon.socket, 'POST', '/containers/create?name=kept', body)
  await call(daemon.socket, 'POST', '/containers/kept/start')
  await healthEvent('kept', 'healthy')
  const inside = (line: string) => run(dockerTs, ['exec', 'kept', 'sh', '-c', line], { environment })
  const hanging = await inside(
    'touch /tmp/hang; until grep -qs "^sleep.444" /proc/[0-9]*/cmdline; do usleep 20000; done',
  )
  t.equal(hanging.status, 0, hanging.stderr)
  await daemon.kill()
  await daemon.start()
  const kept = await healthOf('kept')
  t.strictSame([kept?.Status, kept?.FailingStreak], ['healthy', 0], JSON.stringify(kept?.Log))
  await inside('until ! grep -qs "^sleep.444" /proc/[0-9]*/cmdline; do usleep 20000; done; touch /tmp/bad')
  await healthEvent('kept', 'unhealthy')
  t.match(await healthOf('kept'), { Status: 'unhealthy' })
})
