/** Errors of system calls made by the C program, in the shape of Node's own: `code` is the errno's name. */
import { getSystemErrorName } from 'node:util'

export class SystemError extends Error {
  override readonly name = 'SystemError'
  /** `ENOENT`, `EBUSY`, … */
  readonly code: string
  readonly errno: number

  constructor(errno: number, message: string) {
    super(message)
    this.code = errnoName(errno)
    this.errno = -errno
  }
}

function errnoName(errno: number): string {
  try {
    return getSystemErrorName(-errno)
  } catch {
    return `E${errno}`
  }
}
