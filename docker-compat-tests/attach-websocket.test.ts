/** attach/ws by a WebSocket client on a real daemon; what is expected here is what dockerd 26 was seen to do. */
import t from 'tap'
import { call, startDaemon } from './support/daemon.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { WebSocketClient } from './support/websocket-client.ts'

const daemon = await startDaemon({ flags: ['--bridge', 'none'] })
t.teardown(async () => {
  const left = await daemon.stop()
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
const { socket } = daemon
await importImage(socket, busyboxRootfs(), 'busybox:latest')

async function create(name: string, script: string, more: object = {}): Promise<void> {
  const body = { Image: 'busybox', Cmd: ['sh', '-c', script], HostConfig: { NetworkMode: 'none' }, ...more }
  const { status, body: text } = await call(socket, 'POST', `/containers/create?name=${name}`, body)
  if (status !== 201) throw new Error(text)
}

t.test('text messages before API 1.28, binary ones since; input comes as either', async (t) => {
  for (const [version, kind] of [
    ['1.27', 'text'],
    ['1.28', 'binary'],
    ['1.45', 'binary'],
  ] as const) {
    await create('ws', 'echo ready; cat', { OpenStdin: true, StdinOnce: true })
    const path = `/v${version}/containers/ws/attach/ws?stream=1&stdin=1&stdout=1&stderr=1`
    const client = await WebSocketClient.open(socket, path)
    t.equal(client.status, 101)
    await call(socket, 'POST', '/containers/ws/start')
    await client.received('ready\n')
    client.send('text', 'as text\n')
    await client.received('as text\n')
    client.send('binary', 'as bytes\n')
    await client.received('as bytes\n')
    await call(socket, 'POST', '/containers/ws/kill')
    await client.closed
    const kinds = new Set(client.messages.map(({ type }) => type).filter((type) => type !== 'close'))
    t.strictSame([...kinds], [kind], version)
    await call(socket, 'DELETE', '/containers/ws')
  }
})

t.test('a terminal is left by the detach keys and runs on', async (t) => {
  await create('ws', 'echo ready; cat', { OpenStdin: true, Tty: true })
  await call(socket, 'POST', '/containers/ws/start')
  const path = '/containers/ws/attach/ws?logs=1&stream=1&stdin=1&stdout=1&detachKeys=x,y'
  const client = await WebSocketClient.open(socket, path)
  await client.received('ready')
  client.send('binary', 'xy')
  await client.closed
  t.match((await call(socket, 'GET', '/containers/ws/json')).json, { State: { Running: true } })
  await call(socket, 'DELETE', '/containers/ws?force=1')
})

t.test('refusals: no such container comes before the handshake', async (t) => {
  const refused = await WebSocketClient.open(socket, '/containers/none/attach/ws?stream=1')
  t.match([refused.status, refused.refusal], [404, /No such container: none/])
  t.match(await call(socket, 'GET', '/containers/none/attach/ws'), { status: 404 })
  await create('ws', 'true')
  t.match(await call(socket, 'GET', '/containers/ws/attach/ws?stream=1'), {
    status: 400,
    body: 'not websocket protocol',
  })
  t.match(await call(socket, 'DELETE', '/containers/ws'), { status: 204 })
})
