/**
 * Passes bytes between a client and a monitor's connection, both ways and unread, with back-pressure. Knows when it is
 * over: all output delivered, the client gone, or the client detached.
 */
import type { Duplex, Transform } from 'node:stream'
import { DetachScanner } from './detach-keys.ts'

export type RelayEnd = 'output-ended' | 'client-left' | 'detached'

export interface RelayOptions {
  client: Duplex
  process: Duplex
  /** Aborted when the client is gone. */
  signal: AbortSignal
  /** The client's bytes go to the process. */
  stdin: boolean
  /** The end of the client's bytes ends the process's stdin; otherwise it detaches the client. */
  halfClose: boolean
  /** Empty: nothing detaches. */
  detachKeys: readonly number[]
  /** What output passes through, where the client reads another form than the monitor gives. */
  output?: Transform
}

export function relay(options: RelayOptions): Promise<RelayEnd> {
  const { client, process, signal } = options
  return new Promise((resolve) => {
    const output = options.output === undefined ? process : process.pipe(options.output)
    let over = false
    const end = (how: RelayEnd) => {
      if (over) return
      over = true
      signal.removeEventListener('abort', onAbort)
      client.unpipe(process)
      output.unpipe(client)
      process.destroy()
      resolve(how)
    }
    const onAbort = () => end('client-left')
    if (signal.aborted) return end('client-left')
    signal.addEventListener('abort', onAbort, { once: true })
    client.once('error', onAbort)
    client.once('close', onAbort)
    process.once('error', () => end('output-ended'))
    // What is still on its way through a transformation arrives before its end does.
    process.once('close', () => (output === process ? end('output-ended') : output.end()))
    output.once('error', () => end('output-ended'))
    output.once('end', () => flushed(client, () => end('output-ended')))
    output.pipe(client, { end: false })
    relayInput(options, end)
  })
}

/** What was written last must have been handed to the kernel before the connection is closed. */
function flushed(stream: Duplex, callback: () => void): void {
  if (stream.writableLength === 0 || stream.destroyed) callback()
  else stream.write(Buffer.alloc(0), () => callback())
}

function relayInput(options: RelayOptions, end: (how: RelayEnd) => void): void {
  const { client, process } = options
  if (!options.stdin) {
    // Read on and drop, so that the end of the connection is noticed.
    client.resume()
    return
  }
  const ended = () => {
    if (options.halfClose) process.end()
    else end('detached')
  }
  // A client without input can have ended it while the process was still being prepared: nothing tells of it again.
  if (client.readableEnded) {
    ended()
    return
  }
  client.once('end', ended)
  if (options.detachKeys.length === 0) {
    client.pipe(process, { end: false })
    return
  }
  const scanner = new DetachScanner(options.detachKeys)
  client.on('data', (chunk: Buffer) => {
    const { forward, detached } = scanner.scan(chunk)
    if (forward.length > 0 && !process.write(forward)) {
      client.pause()
      process.once('drain', () => client.resume())
    }
    if (detached) end('detached')
  })
}
