/** Images and registries. */
import { decodeRegistryAuth, endpoints, shapeImageInspect } from '@dockerd-ts/api'
import { type Engine, invalidArgument, type RegistryAuth } from '@dockerd-ts/core'
import { defined } from '../defined.ts'
import { empty, json, progress, tar } from '../replies.ts'
import { type Route, type RouteInput, route } from '../route.ts'

const { images: table } = endpoints

export function imageRoutes({ images }: Engine): Route[] {
  return [
    route(table.list, async ({ query: { all, filters, 'shared-size': sharedSize, digests, manifests } }) =>
      json(await images.list({ all, filters, sharedSize, digests, manifests })),
    ),
    route(table.create, async (input) =>
      progress(input.query.fromSrc === undefined ? pull(images, input) : importImage(images, input)),
    ),
    route(table.inspect, async ({ params, query: { manifests, platform }, version }) => {
      if (manifests && platform !== undefined) {
        throw invalidArgument('conflicting options: manifests and platform options cannot both be set')
      }
      const image = await images.inspect(params.name, { manifests, ...defined({ platform }) })
      return json(shapeImageInspect(image, version))
    }),
    route(table.attestations, async ({ params, query: { platform: platforms, type: types, statement } }) => {
      const [platform, another] = platforms
      if (another !== undefined) throw invalidArgument('only one platform can be specified')
      return json(await images.attestations(params.name, { types, statement, ...defined({ platform }) }))
    }),
    route(table.history, async ({ params, query }) =>
      json(await images.history(params.name, defined({ platform: query.platform }))),
    ),
    route(table.push, async ({ params, query: { tag, platform }, headers, signal }) => {
      const auth = registryAuth(headers)
      return progress(images.push({ image: params.name, ...defined({ tag, platform, auth }), signal }))
    }),
    route(table.tag, async ({ params, query: { repo, tag } }) => {
      await images.tag(params.name, { repository: repo ?? '', ...defined({ tag }) })
      return empty()
    }),
    route(table.delete, async ({ params, query: { force, noprune: noPrune, platforms } }) =>
      json(await images.remove(params.name, { force, noPrune, platforms })),
    ),
    route(table.search, async ({ query: { term = '', limit, filters }, headers }) => {
      if (limit !== undefined && (limit < 1 || limit > 100)) {
        throw invalidArgument(`limit ${limit} is outside the range of [1, 100]`)
      }
      return json(await images.search({ term, filters, ...defined({ limit, auth: registryAuth(headers) }) }))
    }),
    route(table.prune, async ({ query }) => json(await images.prune(query.filters))),
    route(table.prunePlan, async ({ query }) => json(await images.planPrune(query.filters))),
    route(table.pruneApply, async ({ query: { plan = '' } }) => json(await images.applyPrunePlan(plan))),
    route(table.get, async ({ params, query }) =>
      tar(await images.save({ references: [params.name], platforms: query.platform })),
    ),
    route(table.getAll, async ({ query }) =>
      tar(await images.save({ references: query.names, platforms: query.platform })),
    ),
    route(table.load, async ({ query: { quiet, platform: platforms }, bytes: archive, signal }) =>
      progress(images.load({ archive, quiet, platforms, signal })),
    ),
    route(table.distribution, async ({ params, headers }) =>
      json(await images.distribution(params.name, registryAuth(headers))),
    ),
    route(table.distributionManifest, async ({ params, query: { insecure }, headers, signal }) =>
      json(
        await images.registryManifest(params.name, { insecure, signal, ...defined({ auth: registryAuth(headers) }) }),
      ),
    ),
    route(table.distributionManifestPush, async ({ params, query: { insecure }, headers, body: manifest, signal }) => {
      const access = { insecure, signal, ...defined({ auth: registryAuth(headers) }) }
      return json(await images.pushManifest(params.name, { ...access, manifest }))
    }),
  ]
}

type CreateInput = RouteInput<typeof table.create>

function pull(images: Engine['images'], { query, headers, signal }: CreateInput) {
  const { fromImage: image = '', tag, platform } = query
  if (image === '') throw invalidArgument('invalid reference format')
  return images.pull({ image, ...defined({ tag, platform, auth: registryAuth(headers) }), signal })
}

function importImage(images: Engine['images'], { query, bytes, signal }: CreateInput) {
  const { fromSrc: sourceName = '-', repo: repository, tag, message, changes, platform } = query
  const options = defined({ repository, tag, message, platform })
  return images.import({ source: bytes, sourceName, changes, ...options, signal })
}

function registryAuth(headers: RouteInput<typeof table.create>['headers']): RegistryAuth | undefined {
  const header = headers['x-registry-auth']
  const auth = decodeRegistryAuth(typeof header === 'string' ? header : undefined)
  return auth && defined(auth)
}
