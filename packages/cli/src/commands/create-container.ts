/** Creates a container for `run` and `create`: pulls the image when it is missing and writes the id file. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import type { Cli } from '../cli.ts'
import { compareVersions } from '../client/api-client.ts'
import { DaemonError, isNotFound } from '../client/errors.ts'
import type { CreateBody } from '../options/create-body.ts'
import { familiarString, parseReference, withDefaultTag } from '../options/reference.ts'
import { pullableReference, pullImage } from './pull-image.ts'

export interface CreateRequest {
  body: CreateBody
  name: string
  platform: string
  pull: string
  quiet: boolean
  cidfile: string
}

interface Created {
  Id: string
  Warnings: string[] | null
}

export function checkPullPolicy(policy: string): void {
  if (!['always', 'missing', 'never'].includes(policy))
    throw new Error(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`)
}

/** The id of the new container. */
export async function createContainer(cli: Cli, request: CreateRequest): Promise<string> {
  const { cidfile, platform } = request
  if (cidfile !== '' && existsSync(cidfile))
    throw new Error(`container ID file found, make sure the other container isn't running or delete ${cidfile}`)
  // The file is there, empty, before the container is: that is when a bad path has to be noticed.
  if (cidfile !== '') createIdFile(cidfile)
  try {
    const created = await createWithPull(cli, request, () => {
      const reference = pullableReference(request.body.Image)
      return reference && pullImage(cli, withDefaultTag(reference), { platform, quiet: request.quiet, stderr: true })
    })
    for (const warning of created.Warnings ?? []) cli.err(`WARNING: ${warning}\n`)
    if (cidfile !== '') writeFileSync(cidfile, created.Id)
    return created.Id
  } catch (error) {
    if (cidfile !== '') rmSync(cidfile, { force: true })
    throw error
  }
}

function createIdFile(path: string): void {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o666 })
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : (error as Error).message
    throw new Error(`failed to create the container ID file: open ${path}: ${reason}`)
  }
}

async function createWithPull(
  cli: Cli,
  request: CreateRequest,
  pull: () => Promise<void> | undefined,
): Promise<Created> {
  const { body, name, platform } = request
  const reference = isImageId(body.Image) ? undefined : parseReference(body.Image)
  const api = await cli.api()
  if (request.pull === 'always' && reference) await pull()
  await adaptBody(body, await api.version())
  const create = () =>
    api.json<Created>('POST', '/containers/create', {
      query: { name: name || undefined, platform: platform || undefined },
      json: body,
    })
  try {
    return await create()
  } catch (error) {
    if (!isNotFound(error) || !reference || request.pull !== 'missing') throw error
    if (!(error instanceof DaemonError)) throw error
    if (!request.quiet) cli.err(`Unable to find image '${familiarString(withDefaultTag(reference))}' locally\n`)
    await pull()
    return create()
  }
}

const isImageId = (image: string): boolean => /^[a-f0-9]{64}$/.test(image)

/** Leaves out what an older daemon does not know. */
async function adaptBody(body: CreateBody, version: string): Promise<void> {
  if (compareVersions(version, '1.44') >= 0) {
    // From here on the address belongs to the network.
    delete body.MacAddress
    return
  }
  for (const endpoint of Object.values(body.NetworkingConfig.EndpointsConfig)) endpoint.MacAddress = ''
}
