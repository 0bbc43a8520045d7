/** What Docker does not have, by docker-ts on a real daemon: why a run ended, removed containers, restart when unhealthy. */
import { readdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { call, startDaemon } from './support/daemon.ts'
import { nextEvent } from './support/events.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { logged } from './support/logged.ts'
import { dockerTs, run } from './support/programs.ts'

const daemon = await startDaemon()
t.teardown(async () => {
  const left = await daemon.stop()
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
const cli = (...argv: string[]) => run(dockerTs, argv, { environment: { DOCKER_HOST: daemon.host } })
await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')

t.test('why: an error with its last output, a request, memory', async (t) => {
  await cli('run', '--name', 'job', 'busybox', 'sh', '-c', 'echo reading; echo no such table >&2; exit 3')
  await daemon.kill()
  await daemon.start()
  const failed = await cli('why', 'job')
  t.match(failed.stdout, /^job: exited\n\n\S+ to \S+\n {2}The process ended by itself: exit code 3\.\n/)
  t.match(failed.stdout, /Last output:\n {4}reading\n {4}no such table\n$/)
  await cli('run', '-d', '--name', 'web', 'busybox', 'sleep', '600')
  t.match((await cli('why', 'web')).stdout, 'web: running\nIt has not ended yet.\n')
  await cli('kill', 'web')
  t.match((await cli('why', 'web')).stdout, 'A client asked for the end: killed by SIGKILL.')
  const hog = 'echo eating; x=$(head -c 40000000 /dev/zero | tr "\\000" x)'
  await cli('run', '--name', 'hog', '-m', '8m', '--memory-swap', '8m', 'busybox', 'sh', '-c', hog)
  t.match((await cli('why', 'hog')).stdout, 'The container ran out of memory (limit 8388608 bytes): killed by SIGKILL.')
  t.equal((await cli('why', 'nope')).stderr, 'Error response from daemon: No such container: nope\n')
})

t.test('restart when unhealthy, by label', async (t) => {
  const check = ['--health-cmd', 'test ! -e /sick', '--health-interval', '200ms', '--health-retries', '1']
  const label = ['--label', 'dockerd-ts.restart-unhealthy=true', '--stop-timeout', '0']
  await cli('run', '-d', '--name', 'ill', ...label, ...check, 'busybox', 'sh', '-c', 'rm -f /sick; sleep 600')
  await cli('exec', 'ill', 'touch', '/sick')
  await nextEvent(daemon.socket, 'ill', 'restart')
  const { json } = await call(daemon.socket, 'GET', '/containers/ill/json')
  t.match(json, { RestartCount: 1, State: { Running: true } })
  t.match((await cli('why', 'ill')).stdout, 'It was restarted because its health check failed')
})

t.test('removed containers are kept for a while, over a kill in the middle of the removal', async (t) => {
  const retaining = await startDaemon({ flags: ['--bridge', 'none'], config: { 'removed-retention': '1h' } })
  const here = (...argv: string[]) => run(dockerTs, argv, { environment: { DOCKER_HOST: retaining.host } })
  await importImage(retaining.socket, busyboxRootfs(), 'busybox:latest')
  const script = 'echo reading; echo no such table >&2; exit 3'
  await here('run', '--rm', '--network', 'none', '--name', 'job', 'busybox', 'sh', '-c', script)
  t.equal((await here('ps', '-aq')).stdout, '')
  t.match((await here('logs', 'job')).stderr, 'No such container: job')
  t.match(
    (await here('ps', '--removed', '--format', '{{.Names}} {{.Status}}')).stdout,
    /^job Exited \(3\) .*, removed /,
  )
  await retaining.kill()
  for (const point of ['remove:recorded', 'remove:log-kept', 'remove:files-removed']) {
    await retaining.start({ DOCKERD_TS_CRASH_POINT: point })
    const name = point.replace(':', '-')
    const { stderr } = await here('run', '--network', 'none', '--name', name, 'busybox', 'sh', '-c', script)
    t.equal(stderr, 'no such table\n')
    await Promise.all([here('rm', '-v', name), retaining.ended])
  }
  await retaining.start()
  for (const name of ['job', 'remove-recorded', 'remove-log-kept', 'remove-files-removed']) {
    const { stdout, stderr } = await here('logs', '--removed', name)
    t.strictSame([stdout, stderr], ['reading\n', 'no such table\n'], name)
    t.match(
      (await here('why', name)).stdout,
      /: exited, removed \S+\n\n[\s\S]*exit code 3\.\n {2}Last output:\n {4}reading\n/,
    )
  }
  const { stdout, status } = await here('system', 'fsck')
  t.strictSame([status, /removed container +4/.test(stdout)], [0, true], stdout)
  const format = '{{.Name}} {{.State.ExitCode}} {{.Config.Cmd}}'
  t.equal((await here('inspect', '--removed', '-f', format, 'job')).stdout, `/job 3 [sh -c ${script}]\n`)
  t.match((await here('inspect', 'job')).stderr, 'No such object: job')
  const [last, ...others] = (await here('ps', '--removed', '-q')).stdout.trim().split('\n')
  for (const id of others) await here('rm', '--removed', id)
  t.strictSame(readdirSync(`${retaining.directory}/data/removed`).length, 1)
  t.match((await here('rm', '--removed', 'job')).stderr, 'No such removed container: job')
  writeFileSync(`${retaining.directory}/daemon.json`, '{"removed-retention": "0s"}')
  process.kill(retaining.pid, 'SIGHUP')
  await logged(retaining, /Reloaded configuration/)
  t.match((await here('inspect', '--removed', last ?? '')).stderr, 'No such removed container', 'none is kept any more')
  t.strictSame(await retaining.stop(), [])
})
