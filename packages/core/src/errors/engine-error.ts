/** The one error type that the engine throws on purpose: a kind, which the HTTP edge turns into a status, and a text. */

export type ErrorKind =
  | 'invalidArgument'
  | 'unauthorized'
  | 'forbidden'
  | 'notFound'
  | 'conflict'
  | 'notModified'
  | 'notImplemented'
  | 'unavailable'
  | 'internal'

export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly kind: ErrorKind

  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.kind = kind
  }
}

/** True for an EngineError, of the given kind when one is named. */
export function isEngineError(error: unknown, kind?: ErrorKind): error is EngineError {
  return error instanceof EngineError && (kind === undefined || error.kind === kind)
}

export const invalidArgument = (message: string, cause?: unknown) =>
  new EngineError('invalidArgument', message, { cause })
export const conflict = (message: string, cause?: unknown) => new EngineError('conflict', message, { cause })
export const notFound = (message: string, cause?: unknown) => new EngineError('notFound', message, { cause })
export const forbidden = (message: string, cause?: unknown) => new EngineError('forbidden', message, { cause })
export const notImplemented = (message: string, cause?: unknown) =>
  new EngineError('notImplemented', message, { cause })
export const unavailable = (message: string, cause?: unknown) => new EngineError('unavailable', message, { cause })
export const internal = (message: string, cause?: unknown) => new EngineError('internal', message, { cause })

/** What Docker leaves to the OCI runtime to refuse, in the words in which its clients are told. */
export const runtimeRefusal = (reason: string) =>
  internal(
    `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ${reason}: unknown`,
  )
