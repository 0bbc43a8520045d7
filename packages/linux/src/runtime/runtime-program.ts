/** Finds runtime programs and learns what they are. */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { runCommand } from '../command/run-command.ts'

export interface RuntimeProgram {
  /** First line of --version, without the program's name. */
  version: string
  isCrun: boolean
  /** crun's build options, e.g. `+SYSTEMD`; empty for others. */
  features: ReadonlySet<string>
  /** Changes when another program is put in its place. */
  identity: string
}

/** Directories that a service's PATH may lack. */
const moreDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** The program's absolute path; undefined when there is none. */
export function findProgram(nameOrPath: string, searchPath = process.env.PATH ?? ''): string | undefined {
  if (isAbsolute(nameOrPath)) return isExecutable(nameOrPath) ? nameOrPath : undefined
  const directories = [...searchPath.split(delimiter).filter(Boolean), ...moreDirectories]
  return directories.map((directory) => join(directory, nameOrPath)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Throws when there is no file. Asked at every start, so it is synchronous. */
export function fileIdentity(path: string): string {
  const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true })
  return [dev, ino, size, mtimeNs].join(':')
}

/** Runs the program once. Throws a CommandError when it does not answer. */
export async function readRuntimeProgram(path: string, identity: string): Promise<RuntimeProgram> {
  const { stdout } = await runCommand([path, '--version'], { timeoutMs: 10_000, maxOutputBytes: 65_536 })
  return { ...parseVersion(stdout), identity }
}

/** Compact JSON; undefined from a program that does not know the command (crun before 1.9). */
export async function readRuntimeFeatures(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await runCommand([path, 'features'], { timeoutMs: 10_000, maxOutputBytes: 65_536 })
    return JSON.stringify(JSON.parse(stdout))
  } catch {
    return undefined
  }
}

export function parseVersion(text: string): Omit<RuntimeProgram, 'identity'> {
  const lines = text.split('\n')
  const first = (lines[0] ?? '').trim()
  const features = lines.filter((line) => line.startsWith('+')).flatMap((line) => line.trim().split(/\s+/))
  return {
    version: first.replace(/^\S+ version /, ''),
    isCrun: first.startsWith('crun version '),
    features: new Set(features),
  }
}
