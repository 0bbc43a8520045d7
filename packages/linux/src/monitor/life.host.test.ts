import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { MonitorPlan } from '@dockerd-ts/core'
import t from 'tap'
import { connectMonitor } from './connect.ts'
import { gone, needsRoot, readFrames, readLog, readUntil, TestBench } from './testing/test-bundle.ts'

const onlyOutput = { stdin: false, stdout: true, stderr: true }

t.test('clients that come all at once are taken, also while the monitor has no time for them', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())
  const plan = await bench.containerPlan({ args: ['cat'], plan: { openStdin: true } })
  const monitor = await bench.monitors.prepare(plan)
  await monitor.go()
  process.kill(monitor.monitorPid, 'SIGSTOP')
  const clients = await Promise.allSettled(Array.from({ length: 300 }, () => connectMonitor(plan.directory)))
  process.kill(monitor.monitorPid, 'SIGCONT')
  t.equal(clients.filter(({ status }) => status === 'fulfilled').length, clients.length)
  for (const client of clients) if (client.status === 'fulfilled') client.value.destroy()
  t.equal(await monitor.signal(9), true)
  t.match(await monitor.exited, { exitCode: 137 })
})

t.test('a monitor outlives its client', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())

  await t.test('and is adopted by another', async (t) => {
    const plan = await bench.containerPlan({ args: ['cat'], plan: { openStdin: true } })
    const first = await bench.monitors.prepare(plan)
    const started = await first.go()
    first.close()
    const second = await bench.monitors.adopt(plan.directory)
    t.ok(second)
    t.same([second?.process, second?.monitorPid], [started, first.monitorPid])
    const stream = await second?.attach({ stdin: true, stdout: true, stderr: true })
    stream?.write('hello\n')
    if (stream) t.match(await readUntil(stream, /hello/), /hello/)
    t.equal(await second?.signal(9), true)
    t.match(await second?.exited, { exitCode: 137, pid: started.pid })
    t.equal(await bench.monitors.adopt(plan.directory), undefined, 'a dead one is not adopted')
    t.match(await bench.monitors.readExit(plan.directory), { exitCode: 137 })
    const race = await Promise.race([first.exited, Promise.resolve('pending')])
    t.equal(race, 'pending', 'a handle that was closed tells nothing more')
  })

  await t.test('that was killed, with all output in the log', async (t) => {
    const plan = await bench.containerPlan({
      args: ['sh', '-c', 'read line; echo "$line"; exit 5'],
      plan: { openStdin: true },
    })
    const pid = await startInProcessThatIsKilled(bench, plan)
    const monitor = await bench.monitors.adopt(plan.directory)
    t.equal(monitor?.process?.pid, pid)
    const stream = await monitor?.attach({ stdin: true, stdout: false, stderr: false })
    stream?.end('after the crash\n')
    t.match(await monitor?.exited, { exitCode: 5 })
    t.same(
      readLog(plan.log?.path ?? '').map(({ log }) => log),
      ['after the crash\n'],
    )
  })

  await t.test('whose helper was killed', async (t) => {
    const plan = await bench.containerPlan({ args: ['sleep', '1000'] })
    const monitor = await bench.monitors.prepare(plan)
    await monitor.go()
    process.kill(bench.helper.pid ?? 0, 'SIGKILL')
    await bench.helper.ping()
    t.equal(await monitor.signal(15), true)
    // sleep is init here and does not handle 15.
    t.equal(await monitor.signal(9), true)
    t.match(await monitor.exited, { exitCode: 137 })
  })

  await t.test('and leaves the exit file when nobody listens', async (t) => {
    const plan = await bench.containerPlan({ args: ['sh', '-c', 'sleep 0.2; exit 6'] })
    const monitor = await bench.monitors.prepare(plan)
    await monitor.go()
    monitor.close()
    await gone(monitor.monitorPid)
    t.match(await bench.monitors.readExit(plan.directory), { exitCode: 6 })
  })
  t.strictSame(bench.leftovers(), [])
})

t.test('a monitor that is never told to go leaves with its client', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())
  const plan = await bench.containerPlan({ args: ['true'] })
  const monitor = await bench.monitors.prepare(plan)
  const stream = await monitor.attach(onlyOutput)
  monitor.close()
  t.same(await readFrames(stream), { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) })
  await gone(monitor.monitorPid)
  t.equal(await bench.monitors.readExit(plan.directory), undefined)
  t.notOk(existsSync(path.join(plan.directory, 'json.log')))
  // It does not touch the name any more: another monitor may have been prepared in the same place.
  t.strictSame(bench.leftovers(), ['monitor.sock'])
  t.equal(await bench.monitors.adopt(plan.directory), undefined)
})

t.test('the same container can be started again as soon as its end is known', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())
  const plan = await bench.containerPlan({ args: ['sh', '-c', 'echo again; exit 2'] })
  for (let round = 0; round < 15; round++) {
    const dropped = await bench.monitors.prepare(plan)
    dropped.close()
    const monitor = await bench.monitors.prepare(plan)
    const output = readFrames(await monitor.attach(onlyOutput))
    await monitor.go()
    t.match(await monitor.exited, { exitCode: 2 })
    t.equal((await output).stdout.toString(), 'again\n')
  }
  t.strictSame(bench.leftovers(), [])
})

t.test('a monitor that was killed is noticed, and its process can be found', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())
  const plan = await bench.containerPlan({ args: ['sleep', '1000'] })
  const monitor = await bench.monitors.prepare(plan)
  const { pid, startTimeTicks } = await monitor.go()
  process.kill(monitor.monitorPid, 'SIGKILL')
  await t.rejects(monitor.exited, /ended without telling/)
  const state = JSON.parse(readFileSync(path.join(plan.directory, 'state.json'), 'utf8'))
  t.match(state, { pid, startTimeTicks, monitorPid: monitor.monitorPid })
  t.equal(await bench.monitors.adopt(plan.directory), undefined)
  t.ok(existsSync(`/proc/${pid}`))
  process.kill(pid, 'SIGKILL')
  await gone(pid)
  // What reconcile does for it: the groups are empty now.
  for (const directory of plan.cgroupDirectories ?? []) if (existsSync(directory)) await removeWhenEmpty(directory)
})

t.test('a directory with a long name is no obstacle', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())
  const directory = path.join(bench.directory, 'd'.repeat(200))
  await mkdir(directory)
  const plan = await bench.containerPlan({ args: ['sh', '-c', 'tty'], plan: { terminal: true } })
  const monitor = await bench.monitors.prepare({ ...plan, directory })
  const stream = await monitor.attach(onlyOutput)
  await monitor.go()
  t.match(await readUntil(stream, /\n/), /^\/dev\/pts\/0/)
  t.match(await monitor.exited, { exitCode: 0 })
})

/** Prepares and starts in a process of its own, which is killed as soon as the container runs. */
async function startInProcessThatIsKilled(bench: TestBench, plan: MonitorPlan): Promise<number> {
  const planFile = path.join(bench.directory, 'plan.json')
  await writeFile(planFile, JSON.stringify(plan))
  const program = new URL('testing/start-and-wait.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [program, planFile], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  child.kill('SIGKILL')
  await once(child, 'exit')
  return Number(line)
}

async function removeWhenEmpty(directory: string): Promise<void> {
  for (;;) {
    try {
      return await rmdir(directory)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}
