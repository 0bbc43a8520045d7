/** Opens an attach connection: one request, one answer, and from then on the process's own bytes in both directions. */
import type { Socket } from 'node:net'
import { encodeMessage, Message } from '../syscalls/frames.ts'
import { operation, streamFlag, tag } from '../syscalls/protocol.ts'
import { SystemError } from '../syscalls/system-error.ts'

const prefixBytes = 4
const answerLimitBytes = 4096

export interface AttachStreams {
  stdin: boolean
  stdout: boolean
  stderr: boolean
}

/** The same socket, past the answer. Rejects when the monitor refuses or is gone. */
export async function openAttachment(socket: Socket, streams: AttachStreams): Promise<Socket> {
  const flags =
    (streams.stdin ? streamFlag.STDIN : 0) |
    (streams.stdout ? streamFlag.STDOUT : 0) |
    (streams.stderr ? streamFlag.STDERR : 0)
  socket.write(encodeMessage(1, operation.ATTACH, [[tag.STREAMS, flags]]))
  const answer = await readAnswer(socket)
  if (answer.code !== 0) {
    socket.destroy()
    throw new SystemError(answer.code, answer.errorText)
  }
  return socket
}

/** Takes exactly the answer's bytes; what follows stays in the socket for its reader. */
function readAnswer(socket: Socket): Promise<Message> {
  return new Promise((resolve, reject) => {
    let size: number | undefined
    const settle = (act: () => void) => {
      socket.off('readable', read)
      socket.off('error', fail)
      socket.off('close', gone)
      act()
    }
    const fail = (error: Error) => settle(() => reject(error))
    const gone = () => fail(new Error('the monitor is gone'))
    const read = () => {
      size ??= (socket.read(prefixBytes) as Buffer | null)?.readUInt32LE(0)
      if (size === undefined) return
      if (size > answerLimitBytes) return fail(new RangeError('malformed answer of the monitor'))
      const bytes = socket.read(size) as Buffer | null
      if (bytes !== null) settle(() => resolve(new Message(bytes)))
    }
    socket.on('readable', read)
    socket.on('error', fail)
    socket.once('close', gone)
  })
}
