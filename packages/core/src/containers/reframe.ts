/** Output in another form than the monitor gives it: for a client that asked for frames of a terminal, or for none of frames. */
import { Transform } from 'node:stream'
import { frame, Unframer } from '../support/frames.ts'

/** A terminal's output is all stdout. */
export const framed = (): Transform => through((piece) => frame('stdout', piece))

/** Without frames there is one stream: stdout, as in dockerd. */
export function unframed(): Transform {
  const unframer = new Unframer('stdout')
  return through((piece) => unframer.payload(piece))
}

function through(change: (piece: Buffer) => Buffer): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      done(null, change(piece))
    },
  })
}
