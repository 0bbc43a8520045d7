/** Sends one request of the comparison and answers what is compared of it. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { call } from '../support/daemon.ts'
import { neutral, neutralJson } from './neutral.ts'
import type { ComparedRequest } from './request.ts'

export interface ComparedAnswer {
  status: number
  type: string | undefined
  body: unknown
}

export async function answerTo(socket: string, version: string, request: ComparedRequest): Promise<ComparedAnswer> {
  const path = `/v${version}${request.path}`
  if (request.hijack) return hijacked(socket, path, request)
  const { status, headers, body, json } = await call(socket, request.method, path, request.body)
  const type = headers['content-type'] as string | undefined
  return { status, type, body: json === undefined ? lines(body) : neutralJson(json) }
}

/** A progress stream is compared document by document. */
function lines(body: string): unknown {
  try {
    return body
      .split(/\r?\n/)
      .filter((line) => line !== '')
      .map((line) => neutralJson(JSON.parse(line)))
  } catch {
    return neutral(body)
  }
}

/** Ends its own side at once and reads to the end of the other: what was written is heard, the answer is whole. */
async function hijacked(socket: string, path: string, { method, hijack }: ComparedRequest): Promise<ComparedAnswer> {
  const connection = connect(socket)
  const head = [`${method} ${path} HTTP/1.1`, 'Host: docker', 'Content-Length: 0']
  if (hijack?.upgrade) head.push('Connection: Upgrade', 'Upgrade: tcp')
  else head.push('Connection: close')
  connection.end(`${head.join('\r\n')}\r\n\r\n${hijack?.input ?? ''}`)
  const chunks: Buffer[] = []
  connection.on('data', (chunk) => chunks.push(chunk))
  await once(connection, 'close')
  const text = Buffer.concat(chunks).toString('latin1')
  const [head_ = '', ...rest] = text.split('\r\n\r\n')
  const type = /^content-type: (.*)$/im.exec(head_)?.[1]
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head_)?.[1]), type, body: neutral(rest.join('\r\n\r\n')) }
}
