import t from 'tap'
import * as schemas from '../schemas/index.ts'
import { servedEndpoints } from './index.ts'
import { matchPath } from './match-path.ts'
import { publishedOperations } from './published-operations.ts'
import { unservedOperations } from './unserved.ts'

const key = ({ method, path, operation }: { method: string; path: string; operation: string }) =>
  `${method} ${path} ${operation}`

/** Served beside the published description: our own, and what Docker's daemon has without describing it. */
const unpublished = [
  'DELETE /containers/{id}/checkpoints/{checkpoint} CheckpointDelete',
  'GET /containers/{id}/checkpoints CheckpointList',
  'GET /containers/{id}/why ContainerWhy',
  'GET /distribution/{name}/manifest DistributionManifest',
  'GET /openapi.json OpenApi',
  'GET /system/fsck SystemDiskCheck',
  'POST /build/cancel BuildCancel',
  'POST /containers/{id}/checkpoints CheckpointCreate',
  'POST /distribution/{name}/manifest DistributionManifestPush',
  'POST /grpc Grpc',
  'POST /images/prune/apply ImagePruneApply',
  'POST /images/prune/plan ImagePrunePlan',
  'POST /system/fsck SystemDiskRepair',
]

t.test('each published operation is served, or refused with a reason, and never both', (t) => {
  const served = servedEndpoints.map(key)
  const refused = unservedOperations.map(key)
  const published = publishedOperations.map(([method, path, operation]) => key({ method, path, operation }))
  t.equal(published.length, 108)
  t.strictSame([...served, ...refused].sort(), [...published, ...unpublished].sort())
  t.ok(unservedOperations.every(({ message }) => message.length > 10))
  t.end()
})

t.test('bodies and responses name schemas that exist', (t) => {
  for (const { operation, body, response } of servedEndpoints) {
    const names = [body, response?.replace('[]', '')].filter((name) => name !== undefined && name !== 'bytes')
    for (const name of names) if (!name?.includes('/')) t.ok(name && name in schemas, `${operation}: ${name}`)
  }
  t.end()
})

t.test("a path finds its operation; a parameter takes slashes; the table's own paths find themselves", (t) => {
  const cases: Record<string, [string, Record<string, string>?]> = {
    'GET /containers/json': ['ContainerList', {}],
    'GET /containers/json/json': ['ContainerInspect', { id: 'json' }],
    'GET /images/docker.io/library/a:1/json': ['ImageInspect', { name: 'docker.io/library/a:1' }],
    'GET /images/a/get': ['ImageGet', { name: 'a' }],
    'GET /images/get': ['ImageGetAll', {}],
    'DELETE /images/a/b@sha256:c': ['ImageDelete', { name: 'a/b@sha256:c' }],
    'GET /containers/a/attach/ws': ['ContainerAttachWebsocket', { id: 'a' }],
    'GET /networks/': ['NetworkList', {}],
    'GET /networks/a/b': ['NetworkInspect', { id: 'a/b' }],
    'DELETE /containers/a/checkpoints/b': ['CheckpointDelete', { id: 'a', checkpoint: 'b' }],
    'GET /images/a\nb/json': ['ImageInspect', { name: 'a\nb' }],
  }
  for (const [line, [operation, params]] of Object.entries(cases)) {
    const space = line.indexOf(' ')
    t.strictSame(matchPath(line.slice(0, space), line.slice(space + 1)), { operation, params }, line)
  }
  for (const { method, path, operation } of [...servedEndpoints, ...unservedOperations]) {
    t.equal(
      matchPath(method, path.replaceAll(/\{\w+\}/g, 'some/name'))?.operation,
      operation,
      key({ method, path, operation }),
    )
  }
  for (const line of ['GET /', 'GET /containers', 'GET /containers//json', 'POST /containers/json', 'GET /images/']) {
    const [method = '', path = ''] = line.split(' ')
    t.equal(matchPath(method, path), undefined, line)
  }
  t.end()
})
