/** Lists that registries give in pages: RFC 8288 `Link` headers, as the OCI distribution specification uses them. */
import type { HttpAnswer } from './http-client.ts'

/** The next page, where the answer names one. Elsewhere than the list is no page of it: it is not followed there. */
export function nextPage(answer: Pick<HttpAnswer, 'header' | 'url'>): URL | undefined {
  const link = /<([^>]+)>\s*;(?:[^,]*;)?\s*rel\s*=\s*"?next"?/i.exec(answer.header('link') ?? '')?.[1]
  const url = link === undefined ? null : URL.parse(link, answer.url.href)
  return url?.origin === answer.url.origin ? url : undefined
}
