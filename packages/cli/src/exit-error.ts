/** Errors that end the program: with which code, and in which words. */

/** Ends the program with `code` after printing `message` (if any) on stderr. */
export class ExitError extends Error {
  readonly code: number
  constructor(code: number, message = '') {
    super(message)
    this.code = code
  }
}

/** The error of `run`, `create` and usage mistakes: prefixed, and with a pointer to the help. */
export function withHelp(message: string, path: string, code: number): ExitError {
  return new ExitError(code, `docker: ${message}\n\nRun 'docker ${path} --help' for more information`)
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
