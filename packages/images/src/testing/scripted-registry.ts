/** For tests: a registry in this process whose misbehaviour is scripted. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { digest, type MadeImage } from './test-images.ts'

interface Teardown {
  teardown(work: () => unknown): void
}

export interface SeenRequest {
  method: string
  path: string
  authorization: string | undefined
  range: string | undefined
}

/** True: the request has been answered. */
export type Script = (
  request: SeenRequest,
  response: ServerResponse,
  found: Buffer | undefined,
  raw: IncomingMessage,
) => boolean

export interface ScriptedRegistry {
  host: string
  seen: SeenRequest[]
  /** Documents and blobs by path below /v2/. */
  content: Map<string, { data: Buffer; type: string }>
  /** Asked first. */
  script: Script
  add(repository: string, tag: string, image: MadeImage): string
}

export async function scriptedRegistry(t: Teardown): Promise<ScriptedRegistry> {
  const registry: ScriptedRegistry = {
    host: '',
    seen: [],
    content: new Map(),
    script: () => false,
    add(repository, tag, image) {
      const blob = (data: Buffer, mediaType: string) => {
        registry.content.set(`${repository}/blobs/${digest(data)}`, { data, type: 'application/octet-stream' })
        return { mediaType, size: data.length, digest: digest(data) }
      }
      const type = 'application/vnd.oci.image.manifest.v1+json'
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: type,
          config: blob(image.config, 'application/vnd.oci.image.config.v1+json'),
          layers: image.layers.map((layer) => blob(layer, 'application/vnd.oci.image.layer.v1.tar')),
        }),
      )
      for (const name of [tag, digest(manifest)]) {
        registry.content.set(`${repository}/manifests/${name}`, { data: manifest, type })
      }
      return digest(manifest)
    },
  }
  const server = createServer((request, response) => answer(registry, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  registry.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return registry
}

function answer(registry: ScriptedRegistry, request: IncomingMessage, response: ServerResponse): void {
  const seen: SeenRequest = {
    method: request.method ?? '',
    path: request.url ?? '',
    authorization: request.headers.authorization,
    range: request.headers.range,
  }
  registry.seen.push(seen)
  const found = registry.content.get(seen.path.replace(/^\/v2\//, ''))
  if (registry.script(seen, response, found?.data, request)) return
  if (seen.path === '/v2/') return void response.writeHead(200).end('{}')
  if (found === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' })
    return void response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
  }
  const start = Number(/^bytes=(\d+)-$/.exec(seen.range ?? '')?.[1] ?? 0)
  const data = found.data.subarray(start)
  response.writeHead(start > 0 ? 206 : 200, {
    'content-type': found.type,
    'content-length': data.length,
    'docker-content-digest': digest(found.data),
    ...(start > 0 && { 'content-range': `bytes ${start}-${found.data.length - 1}/${found.data.length}` }),
  })
  response.end(seen.method === 'HEAD' ? undefined : data)
}
