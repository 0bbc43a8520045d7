/** The client's end of a hijacked connection, played by a test. */
import { Duplex } from 'node:stream'

export interface FakeClient {
  readonly stream: Duplex
  received(): string
  type(text: string): void
  /** Half-close: the client sends nothing more and reads on. */
  end(): void
}

export function fakeClient(): FakeClient {
  let received = ''
  const stream = new Duplex({
    allowHalfOpen: true,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      received += chunk.toString('latin1')
      done()
    },
  })
  return {
    stream,
    received: () => received,
    type: (text) => void stream.push(Buffer.from(text, 'latin1')),
    end: () => void stream.push(null),
  }
}
