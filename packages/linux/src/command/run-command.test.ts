import t from 'tap'
import { CommandError, runCommand, tryCommand } from './run-command.ts'

const bounds = { timeoutMs: 10_000, maxOutputBytes: 65_536 }

t.test('gives input, takes output and the exit code', async (t) => {
  const result = await runCommand(['cat'], { ...bounds, input: 'hello' })
  t.strictSame(result, { exitCode: 0, stdout: 'hello', stderr: '' })
  t.equal((await tryCommand(['sh', '-c', 'exit 3'], bounds)).exitCode, 3)
  t.equal((await tryCommand(['sh', '-c', 'kill -9 $$'], bounds)).exitCode, 137)
})

t.test('arguments reach the program as they are, without a shell', async (t) => {
  const { stdout } = await runCommand(['printf', '%s|', '$HOME', '; echo x', 'a b'], bounds)
  t.equal(stdout, '$HOME|; echo x|a b|')
})

t.test('a failure tells what the program said', async (t) => {
  await t.rejects(runCommand(['sh', '-c', 'echo no such thing >&2; exit 2'], bounds), {
    name: 'CommandError',
    message: 'sh failed with exit code 2: no such thing',
  })
  await t.rejects(runCommand(['/no/such/program'], bounds), { message: /could not be started/ })
})

t.test('a program that does not end is killed at its deadline', async (t) => {
  await t.rejects(tryCommand(['sleep', '1000'], { ...bounds, timeoutMs: 50 }), {
    message: 'sleep did not end within 50 ms',
  })
})

t.test('children that keep the pipes open do not hold up the deadline', async (t) => {
  await t.rejects(tryCommand(['sh', '-c', 'sleep 3 & sleep 1000'], { ...bounds, timeoutMs: 50 }), {
    message: 'sh did not end within 50 ms',
  })
})

t.test('a program that prints without end is stopped', async (t) => {
  await t.rejects(tryCommand(['yes'], { ...bounds, maxOutputBytes: 1000 }), {
    message: 'yes printed more than 1000 bytes',
  })
})

t.test('cancelling ends the program', async (t) => {
  const controller = new AbortController()
  const running = tryCommand(['sleep', '1000'], { ...bounds, signal: controller.signal })
  controller.abort()
  await t.rejects(running, { message: 'sleep was cancelled' })
  await t.rejects(tryCommand(['sleep', '1000'], { ...bounds, signal: AbortSignal.abort() }), CommandError)
})

t.test('input that nobody reads is no error', async (t) => {
  const result = await tryCommand(['true'], { ...bounds, input: Buffer.alloc(1024 * 1024) })
  t.equal(result.exitCode, 0)
})

t.test('the environment is the one given', async (t) => {
  const { stdout } = await runCommand(['/usr/bin/env'], { ...bounds, environment: { ONLY: 'this' } })
  // The test runner adds variables of its own to every child; the parent's must not be among them.
  t.match(stdout, /^ONLY=this$/m)
  t.notMatch(stdout, /^(HOME|PATH)=/m)
})
