/** For tests: a registry that takes pushes as the OCI distribution specification has it; a test bends single answers. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type ScriptedRegistry, scriptedRegistry } from './scripted-registry.ts'
import { digest } from './test-images.ts'

export interface UploadRegistry extends ScriptedRegistry {
  /** `PATCH /v2/app/blobs/uploads/ID`, in their order. */
  calls: string[]
  /** Asked before an answer is given; true: it gave one itself. */
  bend(request: IncomingMessage, response: ServerResponse, url: URL): boolean
  /** Bytes of each upload. */
  uploads: Map<string, Buffer>
}

export async function uploadRegistry(t: Parameters<typeof scriptedRegistry>[0]): Promise<UploadRegistry> {
  const own = { calls: [], bend: () => false, uploads: new Map() }
  const registry: UploadRegistry = Object.assign(await scriptedRegistry(t), own)
  registry.script = (_seen, response, _found, request) => {
    const url = new URL(request.url ?? '', `http://${registry.host}`)
    registry.calls.push(`${request.method} ${url.pathname.replace(/uploads\/.+/, 'uploads/ID')}`)
    if (registry.bend(request, response, url)) return true
    if (request.method === 'GET' || request.method === 'HEAD') return state(registry, url, response)
    void write(registry, { request, response, url })
    return true
  }
  return registry
}

function state({ uploads }: UploadRegistry, url: URL, response: ServerResponse): boolean {
  const id = /\/blobs\/uploads\/(\w+)$/.exec(url.pathname)?.[1]
  const data = id === undefined ? undefined : uploads.get(id)
  if (data === undefined) return false
  response.writeHead(204, { location: url.href, range: `0-${Math.max(0, data.length - 1)}` }).end()
  return true
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  url: URL
}

async function write(registry: UploadRegistry, { request, response, url }: Exchange): Promise<void> {
  const { content, uploads } = registry
  const body = await buffer(request).catch(() => undefined)
  if (body === undefined) return
  const name = url.pathname.replace(/^\/v2\//, '')
  if (name.includes('/manifests/')) {
    const type = request.headers['content-type'] ?? ''
    for (const key of [name, name.replace(/[^/]+$/, digest(body))]) content.set(key, { data: body, type })
    return void response.writeHead(201).end()
  }
  if (request.method === 'POST') {
    const id = `u${uploads.size}`
    uploads.set(id, Buffer.alloc(0))
    return void response.writeHead(202, { location: `${url.pathname}${id}` }).end()
  }
  const id = url.pathname.split('/').at(-1) ?? ''
  const have = uploads.get(id) ?? Buffer.alloc(0)
  const range = request.headers['content-range']
  if (range !== undefined && Number(range.split('-')[0]) !== have.length) return void response.writeHead(416).end()
  const data = Buffer.concat([have, body])
  uploads.set(id, data)
  if (request.method === 'PATCH') {
    return void response.writeHead(202, { location: url.pathname, range: `0-${data.length - 1}` }).end()
  }
  const wanted = url.searchParams.get('digest') ?? ''
  if (digest(data) !== wanted) return void response.writeHead(400).end()
  content.set(name.replace(/uploads\/.*/, wanted), { data, type: 'application/octet-stream' })
  response.writeHead(201, { location: `/v2/${name.replace(/uploads\/.*/, wanted)}` }).end()
}
