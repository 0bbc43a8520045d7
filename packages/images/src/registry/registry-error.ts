/** What a registry answers instead of what was asked for, and how Docker tells it. */
import {
  EngineError,
  type ErrorKind,
  familiarName,
  familiarString,
  type ImageReference,
  internal,
} from '@dockerd-ts/core'
import * as z from 'zod'
import { type Challenge, parseChallenges } from './challenge.ts'

/** The first error of an answer: code in capitals with underscores, as the distribution specification has it. */
export class RegistryError extends EngineError {
  readonly status: number
  readonly code: string
  /** What the registry asks to wait. */
  retryAfterMs: number | undefined

  constructor(status: number, code: string, message: string) {
    super(kindOf(code), message)
    this.status = status
    this.code = code
  }
}

/** As dockerd answers `/distribution`; a pull has its own way of it (`pullError`). */
function kindOf(code: string): ErrorKind {
  if (code === 'DENIED') return 'forbidden'
  if (code === 'UNAUTHORIZED') return 'unauthorized'
  return code === 'MANIFEST_UNKNOWN' || code === 'NAME_UNKNOWN' ? 'notFound' : 'internal'
}

const errorsBody = z.object({
  errors: z.array(z.object({ code: z.string(), message: z.string().optional() })).min(1),
})
const detailsBody = z.object({ details: z.string() })

const defaultMessages: Readonly<Record<string, string>> = {
  DENIED: 'requested access to the resource is denied',
  UNAUTHORIZED: 'authentication required',
  MANIFEST_UNKNOWN: 'manifest unknown',
  NAME_UNKNOWN: 'repository name not known to registry',
  TOOMANYREQUESTS: 'too many requests',
  UNSUPPORTED: 'The operation is unsupported.',
}

/** `manifest unknown: manifest unknown` */
const tell = (code: string, message: string | undefined) =>
  `${code.toLowerCase().replaceAll('_', ' ')}: ${message || (defaultMessages[code] ?? 'unknown error')}`

interface Refusal {
  status: number
  statusText: string
  challenge: string | undefined
  body: string
  retryAfterMs?: number | undefined
}

export function registryError(answer: Refusal): RegistryError {
  const error = told(answer)
  error.retryAfterMs = answer.retryAfterMs
  return error
}

function told(answer: Refusal): RegistryError {
  const { status, body } = answer
  if (status === 401) {
    const oauth = oauthError(parseChallenges(answer.challenge ?? ''))
    if (oauth !== undefined) return new RegistryError(status, oauth.code, tell(oauth.code, oauth.message))
  }
  const document = parseJson(body)
  const errors = errorsBody.safeParse(document)
  const first = errors.success ? errors.data.errors[0] : undefined
  if (first !== undefined) return new RegistryError(status, first.code, tell(first.code, first.message))
  const details = detailsBody.safeParse(document)
  if (details.success) return new RegistryError(status, 'UNKNOWN', bounded(details.data.details))
  // What is no error document is told as it is: proxies and storage say there what is wrong.
  const text = document === undefined ? bounded(body.trim()) : ''
  const code = codes[status]
  if (code !== undefined) return new RegistryError(status, code, tell(code, text))
  if (status >= 400 && status < 500 && text !== '') return new RegistryError(status, 'UNKNOWN', tell('UNKNOWN', text))
  if (status === 404) return new RegistryError(status, 'NOT_FOUND', 'not found')
  return new RegistryError(status, 'UNKNOWN', `received unexpected HTTP status: ${status} ${answer.statusText}`.trim())
}

/** Of answers that name none. */
const codes: Readonly<Record<number, string>> = { 401: 'UNAUTHORIZED', 403: 'DENIED', 429: 'TOOMANYREQUESTS' }

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    // A proxy's page: its status says what there is to say.
    return undefined
  }
}

const bounded = (text: string) => text.slice(0, 1000)

/** RFC 6750: the challenge itself says why a token did not do. */
function oauthError(challenges: readonly Challenge[]): { code: string; message: string | undefined } | undefined {
  for (const { scheme, parameters } of challenges) {
    if (scheme !== 'bearer') continue
    const code = { invalid_token: 'UNAUTHORIZED', insufficient_scope: 'DENIED' }[parameters.error ?? '']
    if (code !== undefined) return { code, message: parameters.error_description }
  }
  return undefined
}

/** The texts on which clients decide that there is no such image. */
export function pullError(error: unknown, reference: ImageReference): unknown {
  if (!(error instanceof RegistryError)) return error
  const name = familiarName(reference)
  const options = { cause: error }
  switch (error.code) {
    case 'DENIED':
      return new EngineError(
        'notFound',
        `pull access denied for ${name}, repository does not exist or may require 'docker login': ${error.message}`,
        options,
      )
    case 'MANIFEST_UNKNOWN':
      return new EngineError(
        'notFound',
        `manifest for ${familiarString(reference)} not found: ${error.message}`,
        options,
      )
    case 'NAME_UNKNOWN':
      return new EngineError('notFound', `repository ${name} not found: ${error.message}`, options)
    default:
      // dockerd hands on no other status of a registry.
      return error.kind === 'internal' ? error : internal(error.message, error)
  }
}
