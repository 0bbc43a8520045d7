import t from 'tap'
import { settled, type TestEngine, testEngine } from '../testing/index.ts'

const labels = (service: string, dependsOn: string) => ({
  'com.docker.compose.project': 'shop',
  'com.docker.compose.service': service,
  'com.docker.compose.depends_on': dependsOn,
})

const always = { RestartPolicy: { Name: 'always' } }

/** Makes and runs them, then a reboot; answers the next daemon and the order of its starts. */
async function boot(services: Record<string, { dependsOn: string; body?: object }>, composeStartOrder = true) {
  const first = testEngine({ composeStartOrder })
  for (const [name, { dependsOn, body }] of Object.entries(services)) {
    const id = await first.create({ Labels: labels(name, dependsOn), HostConfig: always, ...body }, name)
    await first.engine.containers.start(id, {})
  }
  const test = first.restartDaemon({ bootId: 'boot-2' })
  const { startsEnded } = await test.engine.recover()
  const started = (engine: TestEngine) =>
    engine
      .eventLog()
      .filter((line) => line.startsWith('container start'))
      .slice(Object.keys(services).length)
      .map((line) => line.split(' ')[2])
  return { test, startsEnded, started: () => started(test) }
}

t.test('what others depend on starts first', async (t) => {
  const chain = { web: { dependsOn: 'api:service_started:false' }, api: { dependsOn: 'db' }, db: { dependsOn: '' } }
  const { startsEnded, started } = await boot(chain)
  await startsEnded
  t.strictSame(started(), ['db', 'api', 'web'])
})

t.test('a circle, and what is not there, hold nothing up', async (t) => {
  const { startsEnded, started } = await boot({
    one: { dependsOn: 'two:service_started:true' },
    two: { dependsOn: 'one:service_started:true,gone:service_healthy:true,two:service_started:true' },
  })
  await startsEnded
  t.strictSame(started(), ['two', 'one'])
})

t.test('service_healthy waits for the health check, but not for ever', async (t) => {
  const Healthcheck = { Test: ['CMD', 'check'], Interval: 10e9, Retries: 100 }
  const services = { web: { dependsOn: 'db:service_healthy:true' }, db: { dependsOn: '', body: { Healthcheck } } }
  for (const exitCode of [0, 1]) {
    const { test, startsEnded, started } = await boot(services)
    test.monitors.host.onGo = (process) => {
      if (process.plan.process.kind === 'exec') process.exit(exitCode)
    }
    await settled()
    t.strictSame(started(), ['db'])
    await test.clock.advance(11_000)
    t.strictSame(started(), exitCode === 0 ? ['db', 'web'] : ['db'])
    await test.clock.advance(50_000)
    await startsEnded
    t.strictSame(started(), ['db', 'web'])
  }
})

t.test('what others are linked to, or share namespaces with, starts first, whatever the labels', async (t) => {
  const first = testEngine()
  const { containers } = first.engine
  const run = async (name: string, hostConfig: object) => {
    await containers.start(await first.create({ HostConfig: { ...always, ...hostConfig } }, name), {})
  }
  for (const name of ['db', 'shared', 'net']) await run(name, { IpcMode: 'shareable' })
  await run('web', { Links: ['db:database'] })
  await run('ipc', { IpcMode: 'container:shared' })
  await run('pid', { PidMode: 'container:ipc' })
  await run('joined', { NetworkMode: 'container:net' })
  const count = first.eventLog().length
  const test = first.restartDaemon({ bootId: 'boot-2' })
  await (await test.engine.recover()).startsEnded
  const started = test
    .eventLog()
    .slice(count)
    .flatMap((line) => /^container start (.*)$/.exec(line)?.[1] ?? [])
  t.equal(started.length, 7, 'all of them')
  const isBefore = (one: string, other: string) => started.indexOf(one) < started.indexOf(other)
  for (const [one, other] of [
    ['db', 'web'],
    ['shared', 'ipc'],
    ['ipc', 'pid'],
    ['net', 'joined'],
  ] as const)
    t.ok(isBefore(one, other), `${one} before ${other}`)
})
