/** A connection that is lent is read by somebody else up to the body's end, and goes on after it as if nothing had been. */
import { read as readDescriptor } from 'node:fs'
import { promisify } from 'node:util'
import type { ArchiveSource, LentConnection } from '@dockerd-ts/core'
import t, { type Test } from 'tap'
import { listeningServer, RawClient } from './testing.ts'

const read = promisify(readDescriptor)
const bodyBytes = 8 * 1024 * 1024
/** Every offset has its own text nearby, so that a byte lost or doubled is seen. */
const body = Buffer.from(Array.from({ length: bodyBytes / 8 }, (_, index) => String(index).padStart(8, '0')).join(''))
const ping = 'GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n'
const head = (more: string) =>
  `PUT /containers/c/archive?path=/ HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\n${more}\r\n\r\n`
const withLength = head(`Content-Length: ${bodyBytes}`)

/** What another process does: reads the descriptor, at the most `limit` bytes. Fewer when the client ends. */
async function readLent({ head, descriptor, leftBytes, closed }: LentConnection, limit = leftBytes) {
  const parts = [head]
  let done = 0
  while (done < limit && !closed.aborted) {
    const part = Buffer.alloc(Math.min(65_536, limit - done))
    try {
      const { bytesRead } = await read(descriptor, part, 0, part.length, null)
      if (bytesRead === 0) break
      parts.push(part.subarray(0, bytesRead))
      done += bytesRead
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { bytes: Buffer.concat(parts), done }
}

type Work = (source: ArchiveSource) => Promise<void>

async function serve(t: Test, work: Work) {
  const putArchive = (_id: string, request: { body: ArchiveSource }) => work(request.body)
  const server = await listeningServer({ containers: { putArchive } } as never)
  t.teardown(() => server.stop())
  const client = new RawClient(server.socketPath)
  t.teardown(() => client.socket.destroy())
  return { server, client }
}

const lentOf = async (source: ArchiveSource): Promise<LentConnection> => {
  const lent = await source.lend?.(() => true)
  if (lent === undefined) throw new Error('not lent')
  return lent
}

/** Until the parser has some of the body, as in a daemon whose handler had something to do first. */
const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

for (const early of [true, false]) {
  t.test(`bodies in a row on one connection, with a request behind, lent ${early ? 'at once' : 'later'}`, async (t) => {
    const got: Buffer[] = []
    const { client } = await serve(t, async (source) => {
      if (!early) await settled()
      const lent = await lentOf(source)
      const { bytes, done } = await readLent(lent)
      got.push(bytes)
      lent.giveBack(done)
    })
    for (let round = 1; round <= 3; round++) {
      client.received = ''
      client.send(withLength)
      client.socket.write(Buffer.concat([body, Buffer.from(ping)]))
      const answers = await client.until('\r\n\r\nOK')
      t.match(answers, /^HTTP\/1\.1 200 OK/)
      t.ok(got.at(-1)?.equals(body), `body ${round} is whole`)
    }
  })
}

t.test('what the borrower left of a body is passed over', async (t) => {
  const { client } = await serve(t, async (source) => {
    const lent = await lentOf(source)
    const { done } = await readLent(lent, 3_000_001)
    lent.giveBack(done)
    throw new Error('refused')
  })
  client.send(withLength)
  client.socket.write(Buffer.concat([body, Buffer.from(ping)]))
  const answers = await client.until('\r\n\r\nOK')
  t.match(answers, /^HTTP\/1\.1 500 /)
})

t.test('what is not lent is read as ever', async (t) => {
  let refuses = false
  const got: string[] = []
  const { client } = await serve(t, async (source) => {
    await settled()
    const lent = await source.lend?.(() => !refuses)
    const parts: Buffer[] = []
    for await (const part of source) parts.push(part)
    got.push(`${lent === undefined ? 'not lent' : 'lent'}, ${Buffer.concat(parts).length}`)
    t.ok(Buffer.concat(parts).equals(body.subarray(0, Buffer.concat(parts).length)))
  })
  const chunk = (bytes: Buffer) => `${bytes.length.toString(16)}\r\n${bytes.toString('latin1')}\r\n`
  client.send(`${head('Transfer-Encoding: chunked')}${chunk(body)}0\r\n\r\n${ping}`)
  await client.until('\r\n\r\nOK')
  client.received = ''
  client.send(`${head('Content-Length: 1000')}${body.toString('latin1', 0, 1000)}${ping}`)
  await client.until('\r\n\r\nOK')
  client.received = ''
  refuses = true
  client.send(`${withLength}${body.toString('latin1')}${ping}`)
  await client.until('\r\n\r\nOK')
  t.same(got, [`not lent, ${bodyBytes}`, 'not lent, 1000', `not lent, ${bodyBytes}`])
})

t.test('a client that ends early is at its end for the borrower, and is let go', async (t) => {
  const counts: number[] = []
  const { client } = await serve(t, async (source) => {
    const lent = await lentOf(source)
    const { bytes, done } = await readLent(lent)
    counts.push(bytes.length)
    lent.giveBack(done)
    throw new Error('unexpected EOF')
  })
  client.send(withLength)
  client.socket.end(body.subarray(0, 2_000_000))
  const answer = await client.untilEnd()
  t.match(answer, /^(|HTTP\/1\.1 [45]00 [\s\S]*)$/)
  t.same(counts, [2_000_000])
})

t.test('the borrower learns that the server closes the connection', async (t) => {
  const lending = Promise.withResolvers<LentConnection>()
  const { server, client } = await serve(t, async (source) => {
    const lent = await lentOf(source)
    lending.resolve(lent)
    if (!lent.closed.aborted) await new Promise((resolve) => lent.closed.addEventListener('abort', resolve))
    lent.giveBack(0)
  })
  client.send(withLength)
  await lending.promise
  await server.close(0)
  await client.untilEnd()
  t.equal(client.received, '')
})

t.test('a borrower that does not know how far it came closes the connection', async (t) => {
  const { client } = await serve(t, async (source) => (await lentOf(source)).giveBack(undefined))
  client.send(withLength)
  await client.untilEnd()
  t.equal(client.received, '')
})
