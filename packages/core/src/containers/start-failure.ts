/**
 * What the runtime said when it could not start the process, in the words and with the exit codes that clients look for.
 * Pure.
 */
import { type EngineError, internal, invalidArgument, isEngineError } from '../errors/engine-error.ts'
import { RuntimeFailure } from '../ports/monitor.ts'
import { errorMessage } from '../support/undo-stack.ts'

export interface StartFailure {
  /** As State.ExitCode shows it: 127 not found, 126 not executable, 128 anything else. */
  exitCode: number
  /** What the client is answered. */
  error: EngineError
}

export function startFailure(cause: unknown, program: string): StartFailure {
  if (!(cause instanceof RuntimeFailure)) {
    return { exitCode: 128, error: isEngineError(cause) ? cause : internal(errorMessage(cause), cause) }
  }
  const reason = runtimeReason(cause.message, program)
  const text = `failed to create task for container: failed to create shim task: OCI runtime create failed: ${reason.text}: unknown`
  return {
    exitCode: reason.exitCode,
    error: reason.exitCode === 128 ? internal(text, cause) : invalidArgument(text, cause),
  }
}

/** The same for an exec, whose failure is written into its own stream. */
export function execFailure(cause: unknown, program: string): { exitCode: number; text: string } {
  const message = errorMessage(cause)
  if (!(cause instanceof RuntimeFailure)) return { exitCode: 126, text: message }
  const reason = runtimeReason(message, program)
  return {
    exitCode: reason.exitCode === 128 ? 126 : reason.exitCode,
    text: `OCI runtime exec failed: exec failed: ${reason.text.replace(/^runc create failed: /, '')}: unknown`,
  }
}

interface Reason {
  exitCode: number
  text: string
}

/** crun and runc word the same causes differently; Docker's clients know runc's words. */
function runtimeReason(message: string, program: string): Reason {
  const unable = (rest: string) => `runc create failed: unable to start container process: ${rest}`
  const exec = (problem: string) => unable(`exec: ${JSON.stringify(program)}: ${problem}`)
  if (/executable file .*not found in \$PATH/i.test(message)) {
    return {
      exitCode: 127,
      text: exec(
        program.includes('/') ? `stat ${program}: no such file or directory` : 'executable file not found in $PATH',
      ),
    }
  }
  if (/not a directory/i.test(message) && /mount/i.test(message)) {
    const hint =
      'Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type'
    return { exitCode: 127, text: `${unable(message)}: ${hint}` }
  }
  if (/no such file or directory/i.test(message)) {
    const aboutProgram = message.includes(program)
    return {
      exitCode: 127,
      text: aboutProgram ? exec(`stat ${program}: no such file or directory`) : unable(lowerErrno(message)),
    }
  }
  if (/is a directory/i.test(message)) return { exitCode: 126, text: exec('is a directory') }
  if (/permission denied|open executable: operation not permitted/i.test(message))
    return { exitCode: 126, text: exec('permission denied') }
  return { exitCode: 128, text: unable(lowerErrno(message)) }
}

/** The C library's texts begin with a capital, Go's do not; clients compare without folding. */
const lowerErrno = (message: string): string =>
  message.replace(/No such file or directory|Permission denied|Is a directory/g, (text) => text.toLowerCase())
