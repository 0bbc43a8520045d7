/** Pulls an image, for `pull` and for `run` and `create` when the image is missing. */
import type { Cli } from '../cli.ts'
import type { Query } from '../client/api-client.ts'
import { registryAuthHeader } from '../client/registry-auth.ts'
import { fullName, parseReference, type Reference } from '../options/reference.ts'
import { showProgress } from '../terminal/progress.ts'

export interface PullOptions {
  platform: string
  quiet: boolean
  all?: boolean
  /** Print the progress on stderr. */
  stderr?: boolean
}

export async function pullImage(cli: Cli, reference: Reference, options: PullOptions): Promise<void> {
  const api = await cli.api()
  const query: Query = { fromImage: fullName(reference), platform: options.platform || undefined }
  if (!options.all) query.tag = reference.digest || reference.tag
  const reply = await api.request('POST', '/images/create', {
    query,
    headers: { 'X-Registry-Auth': await registryAuthHeader(cli, reference.domain) },
  })
  if (!options.quiet) return showProgress(cli, reply.body, { stderr: options.stderr ?? false })
  const { jsonValues } = await import('../client/api-client.ts')
  for await (const message of jsonValues<{ errorDetail?: { message: string }; error?: string }>(reply.body)) {
    const failure = message.errorDetail?.message ?? message.error
    if (failure !== undefined) throw new Error(failure)
  }
}

/** The image a user named for a container, or undefined when it is an id or otherwise no name to pull. */
export function pullableReference(image: string): Reference | undefined {
  try {
    return parseReference(image)
  } catch {
    return undefined
  }
}
