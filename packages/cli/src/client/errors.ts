/** What can go wrong between this program and the daemon, in the words users of Docker know. */

/** The daemon answered with an error. */
export class DaemonError extends Error {
  readonly status: number
  /** The daemon's own words, without the prefix. */
  readonly reason: string
  constructor(status: number, reason: string) {
    super(`Error response from daemon: ${reason}`)
    this.status = status
    this.reason = reason
  }
}

/** The daemon could not be reached. */
export class ConnectionError extends Error {}

export function isNotFound(error: unknown): boolean {
  return error instanceof DaemonError && error.status === 404
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ENOTSOCK',
  'ENOTDIR',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
])

interface Attempt {
  host: string
  method: string
  url: string
}

/** Turns a failure to connect or to talk into the message Docker's client gives. */
export function connectionError(cause: unknown, attempt: Attempt): Error {
  const error = cause as NodeJS.ErrnoException & {
    address?: string
    hostname?: string
    errors?: NodeJS.ErrnoException[]
  }
  const code = error.code ?? error.errors?.[0]?.code
  if (code === 'EACCES' || code === 'EPERM') {
    const path = attempt.host.replace(/^unix:\/\//, '')
    return new ConnectionError(
      `permission denied while trying to connect to the Docker daemon socket at ${attempt.host}: ${goVerb(attempt.method)} ${JSON.stringify(attempt.url)}: dial unix ${path}: connect: permission denied`,
    )
  }
  if (code && UNREACHABLE.has(code)) {
    return new ConnectionError(`Cannot connect to the Docker daemon at ${attempt.host}. Is the docker daemon running?`)
  }
  const reason =
    code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? `dial tcp: lookup ${error.hostname}: no such host` : error.message
  return new ConnectionError(
    `error during connect: ${goVerb(attempt.method)} ${JSON.stringify(attempt.url)}: ${reason}`,
  )
}

function goVerb(method: string): string {
  return method.charAt(0) + method.slice(1).toLowerCase()
}
