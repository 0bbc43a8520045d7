import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { needsRoot } from '../monitor/testing/test-bundle.ts'
import { openHelperBench } from './testing/helper-bench.ts'

/** Says `ready`, then one line of hexadecimal digits for each datagram, as many as it is told to take. */
const receiver = `
import os, socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
if name[0] == '@': s.bind('\\0' + name[1:])
else:
    os.chdir(os.path.dirname(name)); s.bind(os.path.basename(name))
print('ready', flush=True)
for line in sys.stdin:
    for _ in range(int(line)): print(s.recv(1 << 20).hex(), flush=True)
`

async function startReceiver(t: { teardown(work: () => void): void }, name: string) {
  const child = spawn('python3', ['-c', receiver, name], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  t.teardown(() => void lines.return?.())
  const next = async () => Buffer.from((await lines.next()).value ?? '', 'hex')
  await lines.next()
  return { next, take: (count: number) => child.stdin.write(`${count}\n`), child }
}

t.test('a datagram reaches a Unix socket', needsRoot, async (t) => {
  const { helper, directory } = await openHelperBench(t)
  const long = path.join(directory, 'x'.repeat(100), 'y'.repeat(60))
  await mkdir(long, { recursive: true })
  for (const name of [path.join(directory, 'socket'), path.join(long, 'socket'), `@dockerd-ts-test-${process.pid}`]) {
    const { next, take } = await startReceiver(t, name)
    take(2)
    await helper.sendDatagram(name, Buffer.from('one\0two'))
    t.equal((await next()).toString(), 'one\0two', name.slice(0, 60))
    const large = Buffer.alloc(100_000, 'z')
    await helper.sendDatagram(name, large)
    t.same(await next(), large)
  }
})

t.test('nobody there, a full queue, an unusable name', needsRoot, async (t) => {
  const { helper, directory } = await openHelperBench(t)
  const name = path.join(directory, 'socket')
  await t.rejects(helper.sendDatagram(name, Buffer.from('x')), { code: 'ENOENT' })
  await t.rejects(helper.sendDatagram('', Buffer.from('x')), { code: 'EINVAL' })
  await t.rejects(helper.sendDatagram('z'.repeat(200), Buffer.from('x')), { code: 'ENAMETOOLONG' })
  const { child, take, next } = await startReceiver(t, name)
  const fill = async () => {
    for (let sent = 0; ; sent++) {
      try {
        await helper.sendDatagram(name, Buffer.from('x'))
      } catch (error) {
        t.match(error, { code: 'EAGAIN' })
        return sent
      }
    }
  }
  t.ok((await fill()) > 0)
  take(1)
  await next()
  await helper.sendDatagram(name, Buffer.from('room again'))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await t.rejects(helper.sendDatagram(name, Buffer.from('x')), { code: 'ECONNREFUSED' })
})
