import { closeSync, openSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { streamCommand } from './stream-command.ts'

const options = { stdin: 'pipe', maxErrorBytes: 100 } as const

t.test('data streams through, and the exit is told after it', async (t) => {
  const command = streamCommand(['sh', '-c', 'cat; echo said >&2; exit 3'], options)
  command.stdin?.end('through')
  t.equal(await text(command.stdout), 'through')
  t.same(await command.finished, { exitCode: 3, stderr: 'said' })
})

t.test('a file is read by the program itself', async (t) => {
  const file = openSync(fileURLToPath(import.meta.url), 'r')
  const command = streamCommand(['head', '-c', '6'], { ...options, stdin: file })
  t.equal(command.stdin, undefined)
  t.equal(await text(command.stdout), 'import')
  closeSync(file)
})

t.test('a program that can’t be started, or is killed, is told', async (t) => {
  const missing = streamCommand(['/no/such/program'], { ...options, stdin: 'none' })
  await t.rejects(missing.finished, { name: 'CommandError', message: /could not be started/ })
  const command = streamCommand(['cat'], options)
  command.kill()
  t.equal((await command.finished).exitCode, 137)
})

t.test('input that is not read and errors without end do no harm', async (t) => {
  const command = streamCommand(
    ['sh', '-c', 'exec 0<&-; yes >&2 2>/dev/null & yes | head -c 100000 >&2; kill $!'],
    options,
  )
  command.stdin?.end(Buffer.alloc(1_000_000))
  const { stderr } = await command.finished
  t.ok(stderr.length <= 100)
})
