/**
 * Runs a program of the host: no shell, a deadline, a ceiling on what it may print. The only place of the daemon that
 * starts programs (monitors are started by the host helper). Not for hot paths: a spawn stops the event loop for 5–10 ms.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

export interface CommandOptions {
  /** Written to its stdin, which is empty otherwise. */
  input?: string | Buffer
  /** After it the program is killed and the call fails. */
  timeoutMs: number
  /** Of stdout and stderr each; more ends the program and fails the call. */
  maxOutputBytes: number
  /** Instead of the daemon's own environment. */
  environment?: Readonly<Record<string, string>>
  workingDirectory?: string
  signal?: AbortSignal
}

export interface CommandResult {
  /** 128 + n for a program that a signal ended. */
  exitCode: number
  stdout: string
  stderr: string
}

/** The program could not be started, was cut short, or (with `runCommand`) did not succeed. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly result: CommandResult | undefined

  constructor(message: string, result?: CommandResult, cause?: unknown) {
    super(message, { cause })
    this.result = result
  }
}

/** Succeeds with exit code 0 only; otherwise throws a CommandError whose message ends with what it said on stderr. */
export async function runCommand(argv: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const result = await tryCommand(argv, options)
  if (result.exitCode === 0) return result
  const said = (result.stderr.trim() || result.stdout.trim()).slice(-1000)
  throw new CommandError(`${argv[0]} failed with exit code ${result.exitCode}${said ? `: ${said}` : ''}`, result)
}

/** Any exit code is a result. Throws a CommandError when the program cannot be started or is cut short. */
export function tryCommand(argv: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const [program = '', ...rest] = argv
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.environment && { env: { ...options.environment } }),
      ...(options.workingDirectory && { cwd: options.workingDirectory }),
    })
    let failure: CommandError | undefined
    const abort = (reason: string, cause?: unknown) => {
      failure ??= new CommandError(`${program} ${reason}`, undefined, cause)
      child.kill('SIGKILL')
      // Its own children may hold the pipes open; they are not waited for.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    const timer = setTimeout(() => abort(`did not end within ${options.timeoutMs} ms`), options.timeoutMs)
    const onAbort = () => abort('was cancelled', options.signal?.reason)
    options.signal?.addEventListener('abort', onAbort, { once: true })
    if (options.signal?.aborted) onAbort()
    const tooMuch = () => abort(`printed more than ${options.maxOutputBytes} bytes`)
    const stdout = collect(child.stdout, options.maxOutputBytes, tooMuch)
    const stderr = collect(child.stderr, options.maxOutputBytes, tooMuch)
    const settle = (act: () => void) => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', onAbort)
      act()
    }
    child.on('error', (error) =>
      settle(() => reject(new CommandError(`${program} could not be started: ${error.message}`, undefined, error))),
    )
    child.on('close', (code, signal) =>
      settle(() => {
        if (failure) reject(failure)
        else resolve({ exitCode: code ?? 128 + signalNumber(signal), stdout: stdout(), stderr: stderr() })
      }),
    )
    // A program that ends without reading its input is not an error of ours.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input)
  })
}

function collect(stream: NodeJS.ReadableStream, maxBytes: number, tooMuch: () => void): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > maxBytes) tooMuch()
    else chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (constants.signals[signal] ?? 0)
}
