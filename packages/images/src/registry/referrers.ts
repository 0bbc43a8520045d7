/**
 * What refers to a manifest (signatures, bills of materials): by the referrers API, and from registries that have none by
 * the tag schema. OCI distribution specification, "Listing Referrers" and "Unavailable Referrers API".
 */
import { documentLimitBytes, type Index, parseIndex } from '../oci/documents.ts'
import { mediaTypes } from '../oci/media-types.ts'
import { nextPage } from './pages.ts'
import type { RegistrySession } from './registry-session.ts'

export type Referrer = NonNullable<Index['manifests']>[number]

const maxReferrers = 1000
/** A registry, or a proxy before it, that does not know the API. */
const unknownApi = [400, 404, 405, 501]

/** At most 1000, of the artifact type. */
export async function listReferrers(
  session: RegistrySession,
  query: { digest: string; artifactType: string },
  signal?: AbortSignal,
): Promise<Referrer[]> {
  const found = (await fromApi(session, query, signal)) ?? (await fromTag(session, query.digest, signal))
  // Filtering is the registry's choice.
  return found.filter(({ artifactType }) => artifactType === query.artifactType).slice(0, maxReferrers)
}

/** Undefined: there is no such API. */
async function fromApi(
  session: RegistrySession,
  { digest, artifactType }: { digest: string; artifactType: string },
  signal: AbortSignal | undefined,
): Promise<Referrer[] | undefined> {
  const found: Referrer[] = []
  const first = `${session.repository}/referrers/${digest}?${new URLSearchParams({ artifactType })}`
  for (let next: string | URL | undefined = first; next !== undefined && found.length < maxReferrers; ) {
    const expected = next === first ? [200, ...unknownApi] : [200]
    const headers = { accept: mediaTypes.ociIndex }
    const answer = await session.ask({ method: 'GET', path: next, headers, expected, signal })
    const isIndex = (answer.header('content-type') ?? '').split(';')[0]?.trim() === mediaTypes.ociIndex
    if (next === first && (answer.status !== 200 || !isIndex)) {
      await answer.discard()
      return undefined
    }
    const page = parseIndex(await answer.bytes(documentLimitBytes)).manifests ?? []
    found.push(...page)
    next = page.length === 0 ? undefined : nextPage(answer)
  }
  return found
}

async function fromTag(session: RegistrySession, digest: string, signal: AbortSignal | undefined): Promise<Referrer[]> {
  const path = `${session.repository}/manifests/${digest.replace(':', '-')}`
  const headers = { accept: mediaTypes.ociIndex }
  const answer = await session.ask({ method: 'GET', path, headers, expected: [200, 404], signal })
  if (answer.status === 200) return parseIndex(await answer.bytes(documentLimitBytes)).manifests ?? []
  await answer.discard()
  return []
}
