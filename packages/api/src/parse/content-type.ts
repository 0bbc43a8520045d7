/** Docker's rule for the Content-Type of JSON bodies, in its words. */
import { InvalidRequest } from './invalid-request.ts'

const mediaType = /^\s*([\w!#$&^.+-]+\/[\w!#$&^.+-]+)\s*((?:;\s*[\w!#$&^.+-]+=(?:"[^"]*"|[\w!#$&^.+-]+)\s*)*);?\s*$/

/** No body needs no type; any body must be application/json, parameters allowed. Throws InvalidRequest. */
export function checkJsonContentType(contentType: string | undefined, hasBody: boolean): void {
  if ((contentType === undefined || contentType === '') && !hasBody) return
  const text = contentType ?? ''
  const match = mediaType.exec(text)
  if (match === null) {
    const reason = text.trim() === '' ? 'mime: no media type' : 'mime: invalid media parameter'
    throw new InvalidRequest(`malformed Content-Type header (${text}): ${reason}`)
  }
  if (match[1]?.toLowerCase() !== 'application/json') {
    throw new InvalidRequest(`unsupported Content-Type header (${text}): must be 'application/json'`)
  }
}
