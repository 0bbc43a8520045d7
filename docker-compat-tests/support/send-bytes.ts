/** One API call with a body of bytes, answered whole. */
import { request } from 'node:http'

export interface BytesAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
  /** What an error says; '' for other answers. */
  message: string
}

/** With `chunked` the length is not told. */
export function sendBytes(
  socket: string,
  method: string,
  path: string,
  { body, chunked = false }: { body?: Buffer; chunked?: boolean } = {},
): Promise<BytesAnswer> {
  return new Promise((resolve, reject) => {
    const headers = {
      'Content-Type': 'application/x-tar',
      ...(body === undefined || chunked ? {} : { 'Content-Length': body.length }),
    }
    const call = request({ socketPath: socket, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const answer = Buffer.concat(chunks)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: answer,
          message: messageOf(answer),
        })
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}

function messageOf(body: Buffer): string {
  if (body[0] !== 0x7b) return ''
  try {
    return (JSON.parse(body.toString()) as { message?: string }).message ?? ''
  } catch {
    return ''
  }
}
