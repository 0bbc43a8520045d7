/** Files of a container as tar archives: docker cp and docker export. */
import { type ContainerPathStat, endpoints } from '@dockerd-ts/api'
import { type Engine, invalidArgument } from '@dockerd-ts/core'
import { lendableBody } from '../lendable-body.ts'
import { empty, tar } from '../replies.ts'
import { type Route, route } from '../route.ts'

const { containers: table } = endpoints

export function archiveRoutes({ containers }: Engine): Route[] {
  return [
    route(table.export, async ({ params }) =>
      tar(await containers.export(params.id), { 'Content-Type': 'application/octet-stream' }),
    ),
    route(table.archiveInfo, async ({ params, query }) =>
      empty(statHeader(await containers.statPath(params.id, required(query.path)))),
    ),
    route(table.getArchive, async ({ params, query }) => {
      const archive = await containers.getArchive(params.id, required(query.path))
      return tar(archive.tar, statHeader(archive.stat))
    }),
    route(
      table.putArchive,
      async ({ params, query: { path, noOverwriteDirNonDir, copyUIDGID: copyUidGid }, bytes }) => {
        const body = lendableBody(bytes)
        await containers.putArchive(params.id, { path: required(path), noOverwriteDirNonDir, copyUidGid, body })
        return empty()
      },
    ),
  ]
}

function required(path: string | undefined): string {
  // Docker's own words, the missing blank too.
  if (path === undefined || path === '') throw invalidArgument('bad parameter: pathcannot be empty')
  return path
}

/** Standard base64, padded. */
const statHeader = (stat: ContainerPathStat) => ({
  'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(stat)).toString('base64'),
})
