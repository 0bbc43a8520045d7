/** All tags of a repository, over as many pages as the registry makes of them. */
import { internal } from '@dockerd-ts/core'
import * as z from 'zod'
import { parse } from '../oci/documents.ts'
import { nextPage } from './pages.ts'
import type { RegistrySession } from './registry-session.ts'

const tagsBody = z.object({ tags: z.array(z.string()).nullish() })
const pageLimitBytes = 4 * 1024 * 1024
const maxTags = 100_000

export async function listTags(session: RegistrySession, signal: AbortSignal): Promise<string[]> {
  const tags: string[] = []
  let next: string | URL | undefined = `${session.repository}/tags/list`
  while (next !== undefined) {
    const answer = await session.ask({ method: 'GET', path: next, expected: [200], signal })
    const before = tags.length
    tags.push(...(parse(tagsBody, await answer.text(pageLimitBytes), 'list of tags').tags ?? []))
    if (tags.length > maxTags) throw internal(`repository has more than ${maxTags} tags`)
    // A page without tags that names a next one would go on for ever.
    next = tags.length === before ? undefined : nextPage(answer)
  }
  return tags
}
