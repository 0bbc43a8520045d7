/** `docker import URL`: the daemon fetches the tar itself, and tells what fails in dockerd's words. */
import { EngineError, type ErrorKind, internal, invalidArgument } from '@dockerd-ts/core'
import { HttpClient } from '../registry/http-client.ts'

/** Of an answer that says what is wrong. */
const errorLimitBytes = 64 * 1024

export interface Download {
  /** Without a password. */
  address: string
  body: AsyncIterable<Buffer>
  /** 0: not told. */
  sizeBytes: number
  close(): Promise<void>
}

export async function openUrl(source: string, request: { userAgent: string; signal: AbortSignal }): Promise<Download> {
  const { url, authorization } = parseSource(source)
  const endpoint = { base: url.origin, mirror: false, insecure: false }
  const client = await HttpClient.open(endpoint, { userAgent: request.userAgent, certificatesDirectory: undefined })
  try {
    const headers = { ...(authorization !== undefined && { authorization }), 'accept-encoding': 'identity' }
    const answer = await client.send({ method: 'GET', url, headers, signal: request.signal })
    if (answer.status >= 400) {
      const told = await answer.text(errorLimitBytes).catch(() => undefined)
      const text = told === undefined ? 'error reading body' : told.trim()
      const status = `${answer.status} ${answer.statusText}`.trim()
      throw new EngineError(kinds[answer.status] ?? 'internal', `failed to GET ${url} with status ${status}: ${text}`)
    }
    const sizeBytes = Number(answer.header('content-length') ?? 0)
    return { address: url.href, body: answer.body, sizeBytes, close: () => client.close() }
  } catch (error) {
    await client.close()
    throw error
  }
}

const kinds: Readonly<Record<number, ErrorKind>> = {
  400: 'invalidArgument',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
}

/** `example.com/x.tar` is one of plain HTTP. */
function parseSource(source: string): { url: URL; authorization: string | undefined } {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source : `http://${source}`
  const [, scheme = '', host = ''] = /^([^:]+):\/\/([^/?#]*)/.exec(text) ?? []
  const odd = /[\s"<>\\^`{|}]/.exec(host)?.[0]
  if (odd !== undefined) throw invalidArgument(`parse "${text}": invalid character ${JSON.stringify(odd)} in host name`)
  if (!/^https?$/i.test(scheme)) throw internal(`Get "${text}": unsupported protocol scheme "${scheme.toLowerCase()}"`)
  if (host === '') throw internal(`Get "${text}": http: no Host in request URL`)
  const url = URL.parse(text)
  if (url === null) throw invalidArgument(`parse "${text}": invalid URL`)
  const { username, password } = url
  url.username = ''
  url.password = ''
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    url,
    authorization: username === '' ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`,
  }
}
