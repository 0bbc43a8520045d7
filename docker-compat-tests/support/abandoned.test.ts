/** A test that is ended by a signal leaves nothing of its daemons on the machine. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import t from 'tap'
import { bridgesIn } from './abandoned.ts'
import { hostLinks } from './agreement.ts'
import { leftovers } from './leftovers.ts'

const program = `
  const { call, startDaemon } = await import(${JSON.stringify(new URL('daemon.ts', import.meta.url).href)})
  const { busyboxRootfs, importImage } = await import(${JSON.stringify(new URL('images.ts', import.meta.url).href)})
  const { directory, bridge, socket } = await startDaemon()
  await importImage(socket, busyboxRootfs(), 'busybox:latest')
  const post = (path, body) => call(socket, 'POST', path, body)
  await post('/networks/create', { Name: 'more' })
  await post('/containers/create?name=box', { Image: 'busybox', Cmd: ['sleep', '1000'] })
  const { status } = await post('/containers/box/start')
  console.log(JSON.stringify({ directory, bridge, status }))
  setInterval(() => {}, 1000)
`

t.test('SIGTERM: container, mounts, bridges and directory are gone', async (t) => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { status, ...daemon } = JSON.parse(line) as { directory: string; bridge: string; status: number }
  const made = [daemon.bridge, ...new Set(bridgesIn(`dockerd-ts-${daemon.bridge}`))]
  const bridges = () => hostLinks().filter(({ ifname }) => made.includes(ifname))
  t.equal(status, 204)
  t.equal(bridges().length, 2)
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  t.strictSame(await ended, [143, null])
  t.strictSame(await leftovers(daemon), [])
  t.strictSame(bridges(), [])
  t.notOk(existsSync(daemon.directory))
})
