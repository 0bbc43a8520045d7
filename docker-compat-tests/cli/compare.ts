/**
 * Runs one script with a docker client: stdout, stderr and exit code, to be compared with another client's on the same
 * daemon. In the script `docker` is the client under test; ids, times and durations are normalised, nothing else.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ofThisRun } from '../support/programs.ts'
import { tidy } from './tidy.ts'

export interface CliCase {
  /** What is promised, in words. */
  name: string
  /** A POSIX shell script. It starts in an empty directory, with no containers, volumes or networks of others around. */
  script: string
  /** Standard input of the whole script. */
  stdin?: string
  /** Differences that are meant to be: lines that match are dropped on both sides. */
  ignore?: RegExp
}

export interface Setting {
  /** Path of the client under test. */
  client: string
  /** Socket of the daemon. */
  socket: string
  /** Image that scripts can use; they call it `$IMAGE`. */
  image: string
  /** Registries that scripts can use; what they are called in the script, and where they listen. */
  registries?: Readonly<Record<string, string>>
}

export interface Outcome {
  stdout: string
  stderr: string
  code: number | null
}

const SCRIPT_TIMEOUT_MS = 60_000
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024

/** What one client makes of a case. */
export async function outcomeOf(setting: Setting, one: CliCase): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'dts-cli-'))
  const { client } = setting
  try {
    // A wrapper rather than a link: docker-ts finds its own files by the path it was started by.
    mkdirSync(join(directory, 'work'))
    writeFileSync(join(directory, 'docker'), `#!/bin/sh\nexec ${client} "$@"\n`, { mode: 0o755 })
    await tidy(setting.socket)
    const script = `cd ${directory}/work; PATH=${directory}:$PATH; ${one.script}`
    const outcome = await shell(script, { home: directory, setting, stdin: one.stdin ?? '' })
    await tidy(setting.socket)
    const neutral = (text: string) =>
      text.replaceAll(directory, '<dir>').replaceAll(`${client.split('/').pop()}: `, 'docker: ')
    return normalise({ ...outcome, stdout: neutral(outcome.stdout), stderr: neutral(outcome.stderr) }, one)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function shell(
  script: string,
  { home, setting, stdin }: { home: string; setting: Setting; stdin: string },
): Promise<Outcome> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    DOCKER_CONFIG: join(home, 'config'),
    DOCKER_HOST: `unix://${setting.socket}`,
    IMAGE: setting.image,
    ...setting.registries,
    ...ofThisRun,
    LANG: 'C.UTF-8',
  }
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', script], { env, stdio: 'pipe', detached: true })
    // The whole group: what a script started must not outlive it.
    const kill = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL')
    const outputs: [Buffer[], Buffer[]] = [[], []]
    let size = 0
    const timer = setTimeout(kill, SCRIPT_TIMEOUT_MS)
    for (const [index, stream] of [child.stdout, child.stderr].entries()) {
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MAX_OUTPUT_BYTES) kill()
        else outputs[index as 0 | 1].push(chunk)
      })
    }
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ stdout: Buffer.concat(outputs[0]).toString(), stderr: Buffer.concat(outputs[1]).toString(), code })
    })
    // A script that does not read its input is no error.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
  })
}

function normalise(outcome: Outcome, { ignore }: CliCase): Outcome {
  const numbers = new Map<string, string>()
  const clean = (text: string) => normaliseText(dropLines(text, ignore), numbers)
  return { stdout: clean(outcome.stdout), stderr: clean(outcome.stderr), code: outcome.code }
}

function dropLines(text: string, ignore: RegExp | undefined): string {
  if (!ignore) return text
  return text
    .split('\n')
    .filter((line) => !ignore.test(line))
    .join('\n')
}

/** Ids become numbers in order of appearance, so that it still shows which of them are the same. */
export function normaliseText(text: string, numbers: Map<string, string> = new Map()): string {
  const numbered = (id: string): string => {
    const key = id.slice(0, 12)
    if (!numbers.has(key)) numbers.set(key, `id${numbers.size + 1}`)
    const label = numbers.get(key) as string
    return id.length === 12 ? `<${label}>`.padEnd(12) : `<${label}:long>`
  }
  return (
    text
      .replace(/\b[0-9a-f]{64}\b/g, numbered)
      .replace(/\b(?=[0-9a-f]*[a-f0-9])[0-9a-f]{12}\b/g, numbered)
      .replace(/\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?( ?[+-]\d{2}:?\d{2}( UTC| \+0000)?|Z)?/g, '<time>')
      .replace(
        /(Less than a second|About an? (minute|hour)|\d+ (second|minute|hour|day|week|month|year)s?)( ago)?( +)?/g,
        (_, _what, _a, _b, _ago, gap?: string) => `<ago>${gap ? '   ' : ''}`,
      )
      // How wide the column is depends on what time it is.
      .replace(/CREATED +(?=\S)/g, 'CREATED   ')
      .replace(/\b1[67]\d{8}(\d{9})?\b/g, '<unix>')
  )
}
