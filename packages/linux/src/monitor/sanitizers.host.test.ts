/** The C program once more, built with address and undefined-behaviour checks: under the other host tests, and fuzzed. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { encodeMessage, type Field } from '../syscalls/frames.ts'
import { operation, tag } from '../syscalls/protocol.ts'
import { connectMonitor } from './connect.ts'
import { buildProgram, needsRoot, readFrames, TestBench, testEnvironment } from './testing/test-bundle.ts'

const reports = await mkdtemp(path.join(tmpdir(), 'dockerd-ts-sanitize-'))
process.once('exit', () => rmSync(reports, { recursive: true, force: true }))

async function reported(): Promise<string[]> {
  const names = await readdir(reports)
  return Promise.all(names.map((name) => readFile(path.join(reports, name), 'utf8')))
}

if (process.env.DOCKERD_TS_SANITIZE === undefined) {
  const files = [
    'monitors',
    'streams',
    'life',
    '../syscalls/mounts',
    '../syscalls/network',
    '../syscalls/files',
    '../syscalls/host-helper',
    'sanitizers',
  ]
  for (const name of files) {
    t.test(`${name} under sanitizers`, needsRoot, async (t) => {
      const file = fileURLToPath(new URL(`${name}.host.test.ts`, import.meta.url))
      const environment = { ...process.env, DOCKERD_TS_SANITIZE: reports }
      const failed = await promisify(execFile)(process.execPath, [file], {
        env: environment,
        maxBuffer: 1 << 26,
      }).catch((error) => error)
      if (failed instanceof Error) t.fail(String((failed as { stdout?: string }).stdout ?? failed).slice(-8000))
      t.same(await reported(), [])
    })
  }
} else {
  t.test('the helper survives whatever it is sent', (t) => fuzzHelper(t))
  t.test('a monitor survives whatever it is sent', (t) => fuzzMonitor(t))
}

/** Fields with values that mean something, values that nearly do, and noise. */
function fields(meaningful: readonly string[]) {
  const value = fc.oneof(
    fc.constantFrom(...meaningful),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.integer({ min: 0, max: 5 }),
    fc.uint8Array({ maxLength: 40 }),
  )
  return fc.array(fc.tuple(fc.constantFrom(...Object.values(tag)), value), { maxLength: 12 })
}

type Message = [code: number, fields: [number, string | bigint | number | Uint8Array][]]

function encode([code, content]: Message, id: number): Buffer {
  return encodeMessage(id, code, content as Field[])
}

/** Changes some bytes, mostly so that the frame stays whole. */
function damage(message: Buffer, changes: readonly [number, number][], mayBreakFrame: boolean): Buffer {
  const from = mayBreakFrame ? 0 : 10
  for (const [at, value] of changes) if (message.length > from) message[from + (at % (message.length - from))] = value
  return message
}

const changes = fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { maxLength: 4 }) as fc.Arbitrary<[number, number][]>

/** In namespaces of its own: mounts and links that come about by chance go with it. */
async function fuzzHelper(t: TestOf): Promise<void> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'dockerd-ts-fuzz-'))
  t.teardown(() => rm(scratch, { recursive: true, force: true }))
  await mkdir(path.join(scratch, 'a/b'), { recursive: true })
  await writeFile(path.join(scratch, 'file'), 'x')
  const places = ['', '/a', '/a/b', '/file', '/ns', '/new/deep', '/a/../b', `/${'x'.repeat(300)}`].map(
    (name) => scratch + name,
  )
  const words = [
    'tmpfs',
    'bind',
    'lo',
    'eth0',
    '10.0.0.1/24',
    'fe80::1/64',
    '10.0.0.1',
    'net.ipv4.ip_forward=1',
    'version',
    'a=b',
    '..',
    'x'.repeat(5000),
  ]
  const codes = Object.values(operation).filter((code) => code < operation.HELLO)
  const messages = fc.sample(fc.tuple(fc.constantFrom(...codes, 77), fields([...places, ...words])), {
    numRuns: 3000,
    seed: 1,
  })
  const damages = fc.sample(changes, { numRuns: 3000, seed: 2 })
  const child = spawn('unshare', ['--mount', '--net', buildProgram(), 'helper'], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    env: testEnvironment(),
  })
  const socket = child.stdio[3] as Duplex
  let answered = 0
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    answered += chunk.length
  })
  for (const [index, message] of messages.entries()) {
    const bytes = damage(encode(message, index + 1), damages[index] ?? [], false)
    if (!socket.write(bytes)) await once(socket, 'drain')
  }
  socket.end()
  const [code, signal] = await once(child, 'close')
  t.same([code, signal], [0, null])
  t.ok(answered > 3000 * 10, 'it answered')
  const broken = spawn(buildProgram(), ['helper'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: testEnvironment(),
  })
  ;(broken.stdio[3] as Duplex).on('error', () => undefined)
  ;(broken.stdio[3] as Duplex).write(Buffer.alloc(100, 0xff))
  t.same(await once(broken, 'close'), [1, null], 'what is no message ends it cleanly')
}

async function fuzzMonitor(t: TestOf): Promise<void> {
  const bench = await TestBench.open()
  t.teardown(() => bench.close())
  const codes = Object.values(operation).filter((code) => code >= operation.HELLO && code !== operation.SIGNAL)
  const nowhere = path.join(bench.directory, 'nowhere')
  const messages = fc.tuple(
    fc.constantFrom(...codes, operation.ATTACH, 77),
    fields(['/bin/true', 'id', '--root', nowhere, '{"a":1}', '80']),
  )
  const conversations = fc.sample(fc.array(fc.tuple(messages, changes, fc.boolean()), { maxLength: 6 }), {
    numRuns: 400,
    seed: 3,
  })

  /** Some connections at once, each with a few messages, all left without a word. */
  async function bother(directory: string): Promise<void> {
    for (const conversation of conversations) {
      const socket = await connectMonitor(directory).catch(() => undefined)
      if (!socket) return
      socket.on('error', () => undefined).resume()
      for (const [index, [message, damages, mayBreak]] of conversation.entries())
        socket.write(damage(encode(message, index), damages, mayBreak))
      await new Promise((resolve) => socket.write('', resolve))
      socket.destroy()
    }
  }

  await t.test('while a process runs', async (t) => {
    // It must not end by itself when stdin does: SIGKILL would then race with its own exit.
    const args = ['sh', '-c', 'cat; seq 1 1000; exec sleep 1000']
    const plan = await bench.containerPlan({ args, plan: { openStdin: true } })
    const monitor = await bench.monitors.prepare(plan)
    const output = readFrames(await monitor.attach({ stdin: false, stdout: true, stderr: true }))
    await monitor.go()
    await bother(plan.directory)
    const last = await monitor.attach({ stdin: true, stdout: false, stderr: false })
    last.end('end\n')
    await monitor.signal(9)
    t.match(await monitor.exited, { exitCode: 137 })
    t.ok((await output).stdout.length >= 0)
  })

  await t.test('before it has a plan', async (t) => {
    for (let round = 0; round < 5; round++) {
      const directory = path.join(bench.directory, `bare-${round}`)
      await mkdir(directory)
      await bench.helper.spawnMonitor({
        arguments: ['monitor', directory],
        environment: testEnvironment(),
        socketPath: `${directory}/monitor.sock`,
      })
      await bother(directory)
    }
    t.pass()
  })
  await bench.helper.ping()
}

type TestOf = Parameters<Parameters<typeof t.test>[0]>[0]
