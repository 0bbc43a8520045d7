/** The X-Registry-Auth header: base64 (url-safe or standard, padded or not) of a JSON AuthConfig. */
import { AuthConfig } from '../schemas/images.ts'

/** Invalid values are ignored, as Docker does for pull, push and search: undefined. */
export function decodeRegistryAuth(header: string | undefined): AuthConfig | undefined {
  if (header === undefined || header === '') return undefined
  let parsed: unknown
  try {
    // Node's base64 decoder takes both alphabets, with or without padding.
    parsed = JSON.parse(Buffer.from(header, 'base64').toString('utf8'))
  } catch {
    return undefined
  }
  const result = AuthConfig.safeParse(parsed)
  return result.success && Object.keys(result.data).length > 0 ? result.data : undefined
}

/** Url-safe with padding, as the docker CLI sends it. */
export function encodeRegistryAuth(auth: AuthConfig): string {
  return Buffer.from(JSON.stringify(auth)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}
