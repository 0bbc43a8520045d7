import { readFileSync } from 'node:fs'
import path from 'node:path'
import { RuntimeFailure } from '@dockerd-ts/core'
import t from 'tap'
import { gone, needsRoot, readAll, readFrames, readLog, TestBench } from './testing/test-bundle.ts'

for (const runtimeName of ['crun', 'runc'] as const) {
  t.test(`a container of ${runtimeName}`, needsRoot, async (t) => {
    const bench = await TestBench.open(runtimeName)
    t.teardown(() => bench.close())

    await t.test('gives its exit code, both streams and its log', async (t) => {
      const plan = await bench.containerPlan({ args: ['sh', '-c', 'echo out; echo err >&2; exit 7'] })
      const monitor = await bench.monitors.prepare(plan)
      const output = readFrames(await monitor.attach({ stdin: false, stdout: true, stderr: true }))
      const onlyErrors = readFrames(await monitor.attach({ stdin: false, stdout: false, stderr: true }))
      const started = await monitor.go()
      const exit = await monitor.exited
      t.match(exit, { exitCode: 7, oomKilled: false, pid: started.pid, startedAtNs: started.startedAtNs })
      t.notOk('signal' in exit)
      t.same(await output, { stdout: Buffer.from('out\n'), stderr: Buffer.from('err\n') })
      t.same(await onlyErrors, { stdout: Buffer.alloc(0), stderr: Buffer.from('err\n') })
      const records = readLog(path.join(plan.directory, 'json.log')).map(({ log, stream }) => `${stream} ${log}`)
      t.same(records.sort(), ['stderr err\n', 'stdout out\n'])
      t.same(await bench.monitors.readExit(plan.directory), exit)
      t.ok(BigInt(exit.finishedAtNs) >= BigInt(started.startedAtNs))
    })

    await t.test('gives the right exit when it is over before the runtime is', async (t) => {
      for (let round = 0; round < 8; round++) {
        const monitor = await bench.monitors.prepare(await bench.containerPlan({ args: ['true'] }))
        const { pid, startTimeTicks } = await monitor.go()
        t.ok(pid > 1 && startTimeTicks > 0)
        t.match(await monitor.exited, { exitCode: 0, pid })
      }
    })

    await t.test('is signalled, and killed by 9 it ends with 137', async (t) => {
      const monitor = await bench.monitors.prepare(await bench.containerPlan({ args: ['sleep', '1000'] }))
      const { pid, startTimeTicks } = await monitor.go()
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      t.equal(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]), startTimeTicks)
      t.equal(await monitor.signal(9), true)
      t.match(await monitor.exited, { exitCode: 137, signal: 9, oomKilled: false })
      t.equal(await monitor.signal(9), false)
      const late = await monitor.attach({ stdin: true, stdout: true, stderr: true })
      t.equal((await readAll(late)).length, 0, 'attaching late gives the end at once')
    })

    await t.test('with signals that it handles ends in its own way', async (t) => {
      const args = ['sh', '-c', 'trap "echo bye; exit 3" TERM; echo ready; while true; do sleep 0.05; done']
      const monitor = await bench.monitors.prepare(await bench.containerPlan({ args }))
      const output = await monitor.attach({ stdin: false, stdout: true, stderr: true })
      await monitor.go()
      await new Promise((resolve) => output.once('readable', resolve))
      await monitor.signal(15)
      t.match(await monitor.exited, { exitCode: 3 })
      t.equal((await readFrames(output)).stdout.toString(), 'ready\nbye\n')
    })

    await t.test('with a missing program fails in the runtime’s own words', async (t) => {
      const plan = await bench.containerPlan({ args: ['/no/such/program'] })
      const monitor = await bench.monitors.prepare(plan)
      const output = readFrames(await monitor.attach({ stdin: false, stdout: true, stderr: true }))
      const words = {
        crun: 'executable file `/no/such/program` not found in $PATH: No such file or directory',
        runc: 'runc run failed: unable to start container process: exec: "/no/such/program": stat /no/such/program: no such file or directory',
      }
      await t.rejects(monitor.go(), new RuntimeFailure(words[runtimeName]))
      t.match(await monitor.exited, { startError: words[runtimeName] })
      t.same(await output, { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }, 'clients see no words of the runtime')
      t.notOk(monitor.process)
    })

    t.strictSame(bench.leftovers(), [], 'nothing is left behind')
  })

  t.test(`an exec of ${runtimeName}`, needsRoot, async (t) => {
    const bench = await TestBench.open(runtimeName)
    t.teardown(() => bench.close())
    const plan = await bench.containerPlan({ args: ['sleep', '1000'] })
    const container = await bench.monitors.prepare(plan)
    await container.go()
    const { containerId } = plan.process

    await t.test('gives streams and exit code', async (t) => {
      const args = ['sh', '-c', 'read line; echo "got $line"; echo err >&2; exit 9']
      const exec = await bench.execPlan(containerId, { args, plan: { openStdin: true, stdinOnce: true } })
      const monitor = await bench.monitors.prepare(exec)
      const stream = await monitor.attach({ stdin: true, stdout: true, stderr: true })
      const output = readFrames(stream)
      stream.end('input\n')
      await monitor.go()
      t.match(await monitor.exited, { exitCode: 9 })
      t.same(await output, { stdout: Buffer.from('got input\n'), stderr: Buffer.from('err\n') })
    })

    await t.test('of a missing program fails in the runtime’s own words', async (t) => {
      const monitor = await bench.monitors.prepare(await bench.execPlan(containerId, { args: ['nope'] }))
      const words = {
        crun: 'executable file `nope` not found in $PATH: No such file or directory',
        runc: 'exec failed: unable to start container process: exec: "nope": executable file not found in $PATH',
      }
      await t.rejects(monitor.go(), new RuntimeFailure(words[runtimeName]))
    })

    await t.test('ends when its process ends, though another holds its output', async (t) => {
      const args = ['sh', '-c', 'sleep 1000 & echo started']
      const monitor = await bench.monitors.prepare(await bench.execPlan(containerId, { args }))
      const output = readFrames(await monitor.attach({ stdin: false, stdout: true, stderr: true }))
      await monitor.go()
      t.match(await monitor.exited, { exitCode: 0 })
      t.equal((await output).stdout.toString(), 'started\n')
    })

    await t.test('dies with its container', async (t) => {
      const monitor = await bench.monitors.prepare(await bench.execPlan(containerId, { args: ['sleep', '1000'] }))
      await monitor.go()
      await container.signal(9)
      t.match(await container.exited, { exitCode: 137 })
      t.match(await monitor.exited, { exitCode: 137 })
    })
    t.strictSame(bench.leftovers(), [])
  })
}

t.test('a container out of memory says so', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())
  const plan = await bench.containerPlan({
    args: ['tail', '/dev/zero'],
    spec: (spec) => {
      spec.linux.resources.memory = { limit: 16 * 1024 * 1024 }
    },
  })
  const monitor = await bench.monitors.prepare(plan)
  await monitor.go()
  t.match(await monitor.exited, { exitCode: 137, signal: 9, oomKilled: true })
  t.strictSame(bench.leftovers(), [])
})

t.test('another than init is killed for want of memory: told while init goes on', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())
  const plan = await bench.containerPlan({
    args: ['sh', '-c', 'tail /dev/zero; read go; tail /dev/zero; read go'],
    plan: { openStdin: true },
    spec: (spec) => {
      spec.linux.resources.memory = { limit: 16 * 1024 * 1024 }
    },
  })
  const monitor = await bench.monitors.prepare(plan)
  const outOfMemory = (count: number) =>
    new Promise<void>((resolve) => {
      const look = () => monitor.outOfMemoryCount >= count && resolve()
      monitor.onOutOfMemory(look)
      look()
    })
  const input = await monitor.attach({ stdin: true, stdout: false, stderr: false })
  await monitor.go()
  await outOfMemory(1)
  const adopted = await bench.monitors.adopt(plan.directory)
  t.equal(adopted?.outOfMemoryCount, 1, 'a later daemon hears of it')
  adopted?.close()
  input.write('go\n')
  await outOfMemory(2)
  input.end('go\n')
  t.match(await monitor.exited, { exitCode: 0, oomKilled: true })
  t.equal(monitor.outOfMemoryCount, 2)
  t.strictSame(bench.leftovers(), [])
})

t.test('processes that outlive init in the host’s process namespace are killed', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())
  const plan = await bench.containerPlan({
    args: ['sh', '-c', 'sleep 1000 & echo $!'],
    spec: (spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }: { type: string }) => type !== 'pid')
      spec.mounts = spec.mounts.filter(({ type }: { type: string }) => type !== 'proc')
    },
  })
  const monitor = await bench.monitors.prepare(plan)
  const output = readFrames(await monitor.attach({ stdin: false, stdout: true, stderr: true }))
  await monitor.go()
  t.match(await monitor.exited, { exitCode: 0 })
  const pid = Number((await output).stdout)
  t.ok(pid > 1)
  await gone(pid)
  t.strictSame(bench.leftovers(), [])
})

t.test('a runtime that cannot be executed is a failed start', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())
  const plan = await bench.containerPlan({ args: ['true'] })
  const monitor = await bench.monitors.prepare({ ...plan, runtime: { path: '/no/runtime', globalArguments: [] } })
  await t.rejects(monitor.go(), new RuntimeFailure('cannot execute the runtime /no/runtime: No such file or directory'))
  const malformed = await bench.containerPlan({ args: ['true'] })
  const refused = await bench.monitors.prepare({ ...malformed, runtime: { path: 'relative', globalArguments: [] } })
  await t.rejects(refused.go(), { code: 'EINVAL', message: 'malformed plan' })
  refused.close()
})
