/**
 * Runs one script with two docker clients against the same daemon and says where stdout, stderr or exit code differ.
 * In the script `docker` is the client under test; ids, times and durations are normalised, nothing else.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

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

export interface Programs {
  /** Path of the real docker client. */
  reference: string
  /** Path of docker-ts. */
  subject: string
  host: string
  /** Image that scripts can use; they call it `$IMAGE`. */
  image: string
}

export interface Outcome {
  stdout: string
  stderr: string
  code: number | null
}

export interface Comparison {
  name: string
  equal: boolean
  reference: Outcome
  subject: Outcome
}

const SCRIPT_TIMEOUT_MS = 60_000
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024

export async function compareCase(programs: Programs, one: CliCase): Promise<Comparison> {
  const reference = normalise(await runCase(programs, programs.reference, one), one)
  const subject = normalise(await runCase(programs, programs.subject, one), one)
  const equal =
    reference.stdout === subject.stdout && reference.stderr === subject.stderr && reference.code === subject.code
  return { name: one.name, equal, reference, subject }
}

async function runCase(programs: Programs, client: string, one: CliCase): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'dts-cli-'))
  const work = join(directory, 'work')
  const clean = `docker ps -aq | xargs -r docker rm -fv >/dev/null 2>&1; docker volume ls -q | xargs -r docker volume rm >/dev/null 2>&1; docker network ls -q --filter type=custom | xargs -r docker network rm >/dev/null 2>&1`
  try {
    await shell(
      `mkdir -p ${work} ${directory}/clean && ln -s ${programs.reference} ${directory}/clean/docker`,
      directory,
      programs,
      '',
    )
    // A wrapper rather than a link: docker-ts finds its own files by the path it was started by.
    writeFileSync(join(directory, 'docker'), `#!/bin/sh\nexec ${client} "$@"\n`, { mode: 0o755 })
    await shell(`PATH=${directory}/clean:$PATH; ${clean}`, directory, programs, '')
    const outcome = await shell(
      `cd ${work}; PATH=${directory}:$PATH; ${one.script}`,
      directory,
      programs,
      one.stdin ?? '',
    )
    await shell(`PATH=${directory}/clean:$PATH; ${clean}`, directory, programs, '')
    const neutral = (text: string) =>
      text.replaceAll(directory, '<dir>').replaceAll(`${client.split('/').pop()}: `, 'docker: ')
    return { ...outcome, stdout: neutral(outcome.stdout), stderr: neutral(outcome.stderr) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function shell(script: string, home: string, programs: Programs, stdin: string): Promise<Outcome> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    DOCKER_CONFIG: join(home, 'config'),
    DOCKER_HOST: programs.host,
    IMAGE: programs.image,
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

/** A readable account of a difference. */
export function describe({ name, reference, subject }: Comparison): string {
  const lines = [name]
  for (const part of ['stdout', 'stderr', 'code'] as const) {
    const [left, right] = [String(reference[part]).split('\n'), String(subject[part]).split('\n')]
    if (reference[part] === subject[part]) continue
    // What is equal at both ends says nothing.
    let start = 0
    while (left[start] === right[start]) start++
    let end = 0
    while (end < Math.min(left.length, right.length) - start && left.at(-1 - end) === right.at(-1 - end)) end++
    lines.push(
      `  ${part} of docker:    ${indent(left.slice(start, left.length - end))}`,
      `  ${part} of docker-ts: ${indent(right.slice(start, right.length - end))}`,
    )
  }
  return lines.join('\n')
}

const MAX_SHOWN_LINES = 60

function indent(lines: readonly string[]): string {
  const shown =
    lines.length > MAX_SHOWN_LINES
      ? [...lines.slice(0, MAX_SHOWN_LINES), `… ${lines.length - MAX_SHOWN_LINES} more lines`]
      : lines
  return shown.join(`\n${' '.repeat(23)}`)
}
