import { type Duplex, duplexPair } from 'node:stream'
import t from 'tap'
import { relay } from './stream-relay.ts'

async function endedEarly(): Promise<Duplex> {
  const [near, far] = duplexPair()
  far.end()
  near.resume()
  await new Promise((resolve) => near.once('end', resolve))
  return near
}

t.test('input that ended before the relay began ends the process’s stdin', async (t) => {
  const [near, far] = duplexPair()
  const ended = new Promise((resolve) => far.once('end', resolve))
  far.resume()
  const over = relay({
    client: await endedEarly(),
    process: near,
    signal: new AbortController().signal,
    stdin: true,
    halfClose: true,
    detachKeys: [],
  })
  await ended
  far.end()
  t.equal(await over, 'output-ended')
})

t.test('without a half-close it detaches the client', async (t) => {
  const over = relay({
    client: await endedEarly(),
    process: duplexPair()[0],
    signal: new AbortController().signal,
    stdin: true,
    halfClose: false,
    detachKeys: [],
  })
  t.equal(await over, 'detached')
})
