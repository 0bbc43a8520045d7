import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { MonitorPlan } from '@dockerd-ts/core'
import t from 'tap'
import { needsRoot, readAll, readFrames, readLog, readUntil, TestBench } from './testing/test-bundle.ts'

const everything = { stdin: true, stdout: true, stderr: true }
const onlyOutput = { stdin: false, stdout: true, stderr: true }

t.test('streams', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())

  /** Prepares without starting. */
  async function prepared(args: string[], plan: Partial<MonitorPlan> = {}) {
    const full = await bench.containerPlan({ args, plan })
    return { plan: full, monitor: await bench.monitors.prepare(full) }
  }

  await t.test('stdin ends when its first client half-closes, and late output still comes', async (t) => {
    const { monitor } = await prepared(['sh', '-c', 'cat; echo end'], { openStdin: true, stdinOnce: true })
    const stream = await monitor.attach(everything)
    await monitor.go()
    stream.end('some input')
    t.equal((await readFrames(stream)).stdout.toString(), 'some inputend\n')
    t.match(await monitor.exited, { exitCode: 0 })
  })

  await t.test('stdin ends when its first client leaves, after what that has sent', async (t) => {
    const { monitor, plan } = await prepared(['cat'], { openStdin: true, stdinOnce: true })
    const stream = await monitor.attach({ stdin: true, stdout: false, stderr: false })
    // Sent before the start: it waits in the connection.
    await new Promise((resolve) => stream.write('last words\n', resolve))
    await monitor.go()
    stream.destroy()
    t.match(await monitor.exited, { exitCode: 0 })
    t.same(
      readLog(plan.log?.path ?? '').map(({ log }) => log),
      ['last words\n'],
    )
  })

  await t.test('stdin is empty when its first client left before the start', async (t) => {
    const { monitor } = await prepared(['cat'], { openStdin: true, stdinOnce: true })
    const stream = await monitor.attach(everything)
    stream.destroy()
    // Its leaving is seen before the start: the monitor serves this later connection after it.
    const later = await monitor.attach(onlyOutput)
    await monitor.go()
    t.match(await monitor.exited, { exitCode: 0 })
    t.equal((await readFrames(later)).stdout.length, 0)
  })

  await t.test('stdin stays open for others when it is not for one client only', async (t) => {
    const { monitor } = await prepared(['head', '-n', '2'], { openStdin: true })
    const first = await monitor.attach(everything)
    await monitor.go()
    first.end('first\n')
    const firstOutput = readFrames(first)
    const second = await monitor.attach(everything)
    second.write('second\n')
    t.match(await monitor.exited, { exitCode: 0 })
    t.equal((await firstOutput).stdout.toString(), 'first\nsecond\n')
    second.destroy()
  })

  await t.test('stdin that is not asked for is empty, and what clients send is thrown away', async (t) => {
    const { monitor } = await prepared(['sh', '-c', 'cat; sleep 0.2; echo end'])
    const stream = await monitor.attach(everything)
    stream.write(Buffer.alloc(1_000_000, 'x'))
    await monitor.go()
    t.equal((await readFrames(stream)).stdout.toString(), 'end\n')
  })

  await t.test('a process that does not read its stdin stops the client', async (t) => {
    const { monitor } = await prepared(
      ['sh', '-c', 'read go; sleep 0.3; cat | head -c 3000000 >/dev/null; echo done'],
      {
        openStdin: true,
        stdinOnce: true,
      },
    )
    const stream = await monitor.attach(everything)
    await monitor.go()
    stream.write('go\n')
    const body = Buffer.alloc(3_000_000, 'y')
    t.equal(stream.write(body), false)
    stream.end()
    t.equal((await readFrames(stream)).stdout.toString(), 'done\n')
  })

  await t.test('binary output arrives unharmed: 100 MiB by hash, and the same in order for two clients', async (t) => {
    const chunk = Buffer.alloc(1 << 20)
    for (let at = 0; at < chunk.length; at += 4) chunk.writeUInt32LE((at * 2654435761) >>> 0, at)
    const file = path.join(bench.directory, 'rootfs/tmp/blob')
    await writeFile(file, '')
    const expected = createHash('sha256')
    for (let round = 0; round < 100; round++) {
      chunk.writeUInt32LE(round, 0)
      expected.update(chunk)
      await appendFile(file, chunk)
    }
    const { monitor } = await prepared(['cat', '/tmp/blob'], { log: undefined as never })
    const streams = [await monitor.attach(onlyOutput), await monitor.attach(onlyOutput)]
    const hashes = streams.map(async (stream) =>
      createHash('sha256')
        .update((await readFrames(stream)).stdout)
        .digest('hex'),
    )
    await monitor.go()
    const digest = expected.digest('hex')
    t.same(await Promise.all(hashes), [digest, digest])
    t.match(await monitor.exited, { exitCode: 0 })
  })

  await t.test('a client that does not read stops the process until it reads or leaves', async (t) => {
    const script = 'head -c 3000000 /dev/zero; echo done >&2'
    const { monitor } = await prepared(['sh', '-c', script])
    const slow = await monitor.attach({ stdin: false, stdout: true, stderr: false })
    const errors = await monitor.attach({ stdin: false, stdout: false, stderr: true })
    const { pid } = await monitor.go()
    await untilBlocked(pid)
    const read = readFrames(slow)
    t.equal((await read).stdout.length, 3_000_000)
    t.equal((await readFrames(errors)).stderr.toString(), 'done\n')

    const again = await prepared(['sh', '-c', script])
    const leaving = await again.monitor.attach(onlyOutput)
    await untilBlocked((await again.monitor.go()).pid)
    leaving.destroy()
    t.match(await again.monitor.exited, { exitCode: 0 })
  })

  await t.test('the rest of the output reaches a slow client after the end', async (t) => {
    const { monitor } = await prepared(['head', '-c', '300000', '/dev/zero'])
    const slow = await monitor.attach(onlyOutput)
    await monitor.go()
    t.match(await monitor.exited, { exitCode: 0 })
    t.equal((await readFrames(slow)).stdout.length, 300_000)
  })

  await t.test('a terminal has its size from the start, is resized, and gives raw bytes', async (t) => {
    const { monitor } = await prepared(['sh', '-c', 'stty -echo; stty size; read line; stty size; tty; exit 4'], {
      terminal: true,
      openStdin: true,
      consoleSize: { height: 33, width: 101 },
    })
    const stream = await monitor.attach(everything)
    await monitor.go()
    t.match(await readUntil(stream, /33 101\r\n/), /^33 101\r\n/)
    await monitor.resize({ height: 50, width: 132 })
    stream.write('go on\n')
    t.equal((await readAll(stream)).toString(), '50 132\r\n/dev/pts/0\r\n')
    t.match(await monitor.exited, { exitCode: 4 })
  })

  await t.test('a process without a terminal has no size', async (t) => {
    const { monitor } = await prepared(['sleep', '1000'])
    await monitor.go()
    await t.rejects(monitor.resize({ height: 1, width: 1 }), { code: 'ENOTTY' })
    await monitor.signal(9)
    await monitor.exited
  })

  t.strictSame(bench.leftovers(), [])
})

t.test('the log', needsRoot, async (t) => {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())

  async function logOf(
    script: string,
    log: { maxSizeBytes?: number; maxFiles?: number; attributesJson?: string; compress?: boolean } = {},
  ) {
    const plan = await bench.containerPlan({ args: ['sh', '-c', script] })
    const logPath = path.join(plan.directory, 'json.log')
    const monitor = await bench.monitors.prepare({
      ...plan,
      log: { path: logPath, maxSizeBytes: 0, maxFiles: 1, ...log },
    })
    await monitor.go()
    t.match(await monitor.exited, { exitCode: 0 })
    return { logPath, directory: plan.directory }
  }

  await t.test('escapes exactly as Docker does', async (t) => {
    const script = String.raw`printf 'a<b>&"\\\t\r\001\033\177 \342\200\250x\342\200\251 \377\376 \303\251 \355\240\200 \364\220\200\200 \360\237\230\200 \303\n\b\f\013\n\ntail'`
    const { logPath } = await logOf(script, { attributesJson: '{"q":"\\u003cb\\u003e"}' })
    const lines = readFileSync(logPath, 'utf8').split('\n')
    const time = /,"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z"\}$/
    const rest = ',"stream":"stdout","attrs":{"q":"\\u003cb\\u003e"}'
    t.ok(lines.slice(0, 4).every((line) => time.test(line)))
    // Seen in the log of dockerd 26.
    t.same(
      lines.map((line) => line.replace(time, '')),
      [
        String.raw`{"log":"a\u003cb\u003e\u0026\"\\\u0009\r\u0001\u001b` +
          `\x7f` +
          String.raw` \u2028x\u2029 \ufffd\ufffd é \ufffd\ufffd\ufffd \ufffd\ufffd\ufffd\ufffd 😀 \ufffd\n"` +
          rest,
        String.raw`{"log":"\u0008\u000c\u000b\n"${rest}`,
        String.raw`{"log":"\n"${rest}`,
        `{"log":"tail"${rest}`,
        '',
      ],
    )
    t.equal(statSync(logPath).mode & 0o777, 0o640)
  })

  await t.test('splits lines over 16 KiB where Docker does, with one time for all parts', async (t) => {
    const line = (size: number) => `head -c ${size} /dev/zero | tr '\\0' x; echo;`
    const { logPath } = await logOf(
      `PATH=/bin; tr() { busybox tr "$@"; }; ${line(16383)} ${line(16384)} ${line(16385)} ${line(40000)}`,
    )
    const records = readLog(logPath)
    const shape = records.map(({ log }) => log.replace('\n', '+').replace(/x+/, (run) => String(run.length)))
    t.same(shape, ['16383+', '16384', '+', '16384', '1+', '16384', '16384', '7232+'])
    t.equal(records[5]?.time, records[7]?.time)
  })

  await t.test('rotates without losing a line', async (t) => {
    const { logPath, directory } = await logOf('seq 1 20000', { maxSizeBytes: 100_000, maxFiles: 50 })
    const names = readdirSync(directory).filter((name) => name.startsWith('json.log'))
    t.ok(names.length > 10, `${names.length} files`)
    const order = [...names].sort((a, b) => Number(b.split('.')[2] ?? 0) - Number(a.split('.')[2] ?? 0))
    t.same(
      order.flatMap((name) => readLog(path.join(directory, name)).map(({ log }) => Number(log))),
      Array.from({ length: 20_000 }, (_, index) => index + 1),
    )
    // Docker rotates before the record that follows the limit, so a file exceeds it by less than one record.
    for (const name of order) t.ok(statSync(path.join(directory, name)).size < 100_000 + 80)
    t.ok(statSync(`${logPath}.1`).size >= 100_000)
  })

  await t.test('keeps as many files as asked for', async (t) => {
    const { directory } = await logOf('seq 1 2000', { maxSizeBytes: 10_000, maxFiles: 3 })
    const names = readdirSync(directory).filter((name) => name.startsWith('json.log'))
    t.same(names.sort(), ['json.log', 'json.log.1', 'json.log.2'])
    const single = await logOf('seq 1 2000', { maxSizeBytes: 10_000 })
    t.same(
      readdirSync(single.directory).filter((name) => name.startsWith('json.log')),
      ['json.log'],
    )
    t.equal(readLog(single.logPath).at(-1)?.log, '2000\n')
  })

  await t.test('compresses what it rotated, and loses no line', async (t) => {
    const { logPath, directory } = await logOf('seq 1 20000', { maxSizeBytes: 100_000, maxFiles: 50, compress: true })
    const names = readdirSync(directory).filter((name) => name.startsWith('json.log'))
    const rotated = names
      .filter((name) => name !== 'json.log')
      .sort((a, b) => Number(b.split('.')[2]) - Number(a.split('.')[2]))
    t.ok(rotated.length > 10, `${rotated.length} files`)
    t.same(
      rotated.filter((name) => !name.endsWith('.gz')),
      [],
      'all are compressed, none stands there twice',
    )
    const numbers = (text: string) => [...text.matchAll(/"log":"(\d+)/g)].map(([, number]) => Number(number))
    const older = rotated.flatMap((name) => numbers(gunzipSync(readFileSync(path.join(directory, name))).toString()))
    t.same(
      [...older, ...numbers(readFileSync(logPath, 'utf8'))],
      Array.from({ length: 20_000 }, (_, index) => index + 1),
    )
    const bounded = await logOf('seq 1 2000', { maxSizeBytes: 10_000, maxFiles: 3, compress: true })
    const kept = readdirSync(bounded.directory).filter((name) => name.startsWith('json.log'))
    t.same(kept.sort(), ['json.log', 'json.log.1.gz', 'json.log.2.gz'])
  })

  await t.test('is held: nothing is read, and the process waits', async (t) => {
    const plan = await bench.containerPlan({ args: ['sh', '-c', 'read x; seq 1 200000'], plan: { openStdin: true } })
    const monitor = await bench.monitors.prepare(plan)
    const input = await monitor.attach({ stdin: true, stdout: false, stderr: false })
    const { pid } = await monitor.go()
    await monitor.hold(true)
    input.end('go\n')
    await untilBlocked(pid)
    t.equal(statSync(plan.log?.path ?? '').size, 0)
    await monitor.hold(false)
    t.match(await monitor.exited, { exitCode: 0 })
    t.equal(readLog(plan.log?.path ?? '').at(-1)?.log, '200000\n')
  })

  await t.test('goes on when who held it has left', async (t) => {
    const plan = await bench.containerPlan({ args: ['sh', '-c', 'read x; seq 1 200000'], plan: { openStdin: true } })
    const monitor = await bench.monitors.prepare(plan)
    const input = await monitor.attach({ stdin: true, stdout: false, stderr: false })
    const { pid } = await monitor.go()
    await monitor.hold(true)
    input.end('go\n')
    await untilBlocked(pid)
    monitor.close()
    const next = await bench.monitors.adopt(plan.directory)
    t.match(await next?.exited, { exitCode: 0 })
    t.equal(readLog(plan.log?.path ?? '').at(-1)?.log, '200000\n')
  })

  await t.test('that cannot be opened is a failed start', async (t) => {
    const plan = await bench.containerPlan({ args: ['true'] })
    const monitor = await bench.monitors.prepare({
      ...plan,
      log: { path: '/no/such/place', maxSizeBytes: 0, maxFiles: 1 },
    })
    await t.rejects(monitor.go(), { code: 'ENOENT' })
    monitor.close()
  })
})

/** Waits until a process (and so its writer) sleeps in a pipe. */
async function untilBlocked(pid: number): Promise<void> {
  for (;;) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
    const where = [String(pid), ...children].map((child) => readFileSync(`/proc/${child}/wchan`, 'utf8'))
    if (where.some((name) => name.includes('pipe_write'))) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
