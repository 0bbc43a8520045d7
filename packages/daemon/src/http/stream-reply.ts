/** Writes streamed answers: backpressure, a flush per object, an end when the client has gone. */
import type { ServerResponse } from 'node:http'
import { Departure } from './departure.ts'
import type { BytesReply, DeferredReply, ObjectsReply } from './replies.ts'

/** Values until the client goes. An iterator that is waiting is told to end and not waited for: its signal wakes it. */
async function* whileConnected<T>(values: AsyncIterable<T>, departure: Departure): AsyncGenerator<T> {
  const iterator = values[Symbol.asyncIterator]()
  let finished = false
  try {
    while (true) {
      const next = await departure.or(iterator.next())
      if (next === 'gone') return
      finished = next.done === true
      if (next.done === true) return
      yield next.value
    }
  } catch (error) {
    finished = true
    throw error
  } finally {
    if (!finished) void Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

async function write(response: ServerResponse, chunk: string | Buffer, departure: Departure): Promise<void> {
  if (response.destroyed || response.write(chunk)) return
  const drain = Promise.withResolvers<void>()
  response.once('drain', drain.resolve)
  await departure.or(drain.promise)
  response.removeListener('drain', drain.resolve)
}

interface StreamPlan<T> {
  values: AsyncIterable<T>
  headers: Readonly<Record<string, string>>
  /** The headers go out before the first value; otherwise a failure before it is an HTTP error, thrown here. */
  early: boolean
  encode: (value: T) => string | Buffer
  /** After the headers: called with the failure to end the answer. */
  fail: (error: unknown) => void
}

/** Resolves when all is written or the client has gone. Rejects with the source's failure, after `fail`. */
async function sendStream<T>(response: ServerResponse, plan: StreamPlan<T>): Promise<void> {
  const departure = new Departure(response)
  let started = plan.early
  const start = () => response.writeHead(200, plan.headers)
  if (plan.early) start().flushHeaders()
  try {
    for await (const value of whileConnected(plan.values, departure)) {
      if (!started) start()
      started = true
      await write(response, plan.encode(value), departure)
    }
  } catch (error) {
    if (started) plan.fail(error)
    throw error
  }
  if (!started) start()
  response.end()
}

export function sendBytes(response: ServerResponse, reply: BytesReply): Promise<void> {
  return sendStream<Buffer>(response, {
    values: reply.chunks,
    headers: reply.headers,
    early: reply.early,
    encode: (chunk) => chunk,
    fail: () => (reply.onError === 'destroy' ? response.destroy() : response.end()),
  })
}

/** `adapt` takes each value to the client's API version. */
export function sendObjects<T>(
  response: ServerResponse,
  reply: ObjectsReply<T>,
  adapt: (value: T) => T,
): Promise<void> {
  return sendStream(response, {
    values: reply.values,
    headers: { 'Content-Type': reply.contentType },
    early: reply.early,
    encode: (value) => reply.encode(adapt(value)),
    fail: (error) => response.end(reply.encodeError?.(messageOf(error))),
  })
}

/** The status first: the client of a wait sends the start only after it has arrived. */
export async function sendDeferred<T>(
  response: ServerResponse,
  reply: DeferredReply<T>,
  adapt: (value: T) => T,
): Promise<void> {
  const departure = new Departure(response)
  response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders()
  try {
    const value = await departure.or(reply.value)
    if (value !== 'gone') response.end(`${JSON.stringify(adapt(value as T))}\n`)
  } catch (error) {
    response.end(`${JSON.stringify({ StatusCode: -1, Error: { Message: messageOf(error) } })}\n`)
    throw error
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
