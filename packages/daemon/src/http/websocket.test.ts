/** A client that leaves in the middle of what is sent to it costs the session nothing but its connection. */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import t from 'tap'
import { WebSocketDuplex } from './websocket.ts'

/** A connection whose peer is gone: every write fails, as the kernel says EPIPE, then it closes. */
function brokenSocket(): Duplex {
  const socket = new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  })
  socket.on('error', () => {})
  return socket
}

for (const [what, send] of [
  ['output', (duplex: Duplex) => void duplex.write('output')],
  ['the closing message', (duplex: Duplex) => void duplex.end()],
] as const) {
  t.test(`${what} that can no longer be sent ends the stream without an error`, async (t) => {
    const duplex = new WebSocketDuplex(brokenSocket() as Socket, { framed: false, messages: 'binary' })
    const errors: Error[] = []
    duplex.on('error', (error) => errors.push(error))
    const closed = new Promise((resolve) => duplex.once('close', resolve))
    send(duplex)
    await closed
    t.same(errors, [])
  })
}
