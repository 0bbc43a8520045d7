/** Runs the clients under test: the real docker CLI and docker-ts. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from './daemon.ts'

export const docker = `${root}/node_modules/.cache/docker-cli/docker`
export const dockerTs = `${root}/node_modules/.bin/docker-ts`

const { NODE_COMPILE_CACHE } = process.env

/** What a client is told of the run that it is part of: where compiled programs are kept, nothing that it could show. */
export const ofThisRun: Readonly<Record<string, string>> =
  NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }

export interface Result {
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  input?: string | Buffer
  environment?: Record<string, string>
  timeoutMs?: number
  cwd?: string
}

/** Runs to the end; a program that exceeds the timeout (60 s) is killed, and its signal says so. */
export async function run(program: string, argv: readonly string[], options: RunOptions = {}): Promise<Result> {
  const child = spawn(program, argv, {
    stdio: 'pipe',
    cwd: options.cwd,
    // A configuration of the machine's user must not change what a test sees.
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...ofThisRun, ...options.environment },
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000)
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk) => stdout.push(chunk))
  child.stderr.on('data', (chunk) => stderr.push(chunk))
  child.stdin.on('error', () => {})
  child.stdin.end(options.input)
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  return { status, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}
