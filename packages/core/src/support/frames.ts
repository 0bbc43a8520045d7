/** Docker's multiplexed stream: `[type,0,0,0][uint32 big-endian length]` before each piece of output. */

const types = { stdin: 0, stdout: 1, stderr: 2, systemError: 3 } as const

/** One frame in one buffer, so that it is one write. */
export function frame(type: keyof typeof types, payload: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(8 + payload.length)
  framed.writeUInt32BE(types[type] << 24, 0)
  framed.writeUInt32BE(payload.length, 4)
  payload.copy(framed, 8)
  return framed
}
