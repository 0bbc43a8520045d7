/** A body that is refused before it has been sent: the client gets its answer though it sends all of it first. */
import t from 'tap'
import { listeningServer, RawClient } from './testing.ts'

const bodyBytes = 8 * 1024 * 1024
const text = 'x'.repeat(bodyBytes)

type Source = { source: AsyncIterable<Buffer> }

/** Ways in which an endpoint gives up on a body. */
const refusals = {
  'does not read it': async () => {},
  'stops in the middle': async ({ source }: Source) => void (await source[Symbol.asyncIterator]().next()),
}

for (const [name, give] of Object.entries(refusals)) {
  for (const connection of ['close', 'keep-alive']) {
    t.test(`an endpoint that ${name}, connection: ${connection}`, async (t) => {
      const refuse = async function* (request: Source): AsyncGenerator<never> {
        await give(request)
        yield* await Promise.reject<never[]>(new Error('refused'))
      }
      const server = await listeningServer({ images: { import: refuse } } as never)
      t.teardown(() => server.stop())
      const client = new RawClient(server.socketPath)
      t.teardown(() => client.socket.destroy())
      client.send(
        `POST /images/create?fromSrc=- HTTP/1.1\r\nHost: d\r\nConnection: ${connection}\r\nContent-Type: application/x-tar\r\nContent-Length: ${bodyBytes}\r\n\r\n`,
      )
      const sent = new Promise<Error | null | undefined>((resolve) => client.socket.write(text, resolve))
      await client.until('refused')
      t.notOk(await sent, 'all of it was taken')
      if (connection === 'close') await client.untilEnd()
      else {
        client.send('GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n')
        await client.until('\r\n\r\nOK')
      }
    })
  }
}
