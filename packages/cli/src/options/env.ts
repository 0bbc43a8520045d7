/** Environment variables and labels from flags and files. */
import { readFileSync } from 'node:fs'
import { cut } from './flags.ts'

/** `NAME=value`, or a bare `NAME` whose value is taken from this program's environment (left out when unset). */
export function resolveEnv(text: string): string {
  const [name, value] = cut(text, '=')
  if (name === '') throw new Error(`invalid environment variable: ${text}`)
  if (value !== undefined) return text
  const own = process.env[name]
  return own === undefined ? name : `${name}=${own}`
}

/** Checks a label flag: a key is needed, a value is not. */
export function checkLabel(text: string): string {
  const [key] = cut(text, '=')
  if (key.trim() === '') throw new Error(`invalid label '${text}': empty name`)
  return text
}

/** The entries of a file of `KEY=value` lines; `lookup` supplies the value of keys that stand alone. */
export function readKeyValueFile(path: string, lookup: (key: string) => string | undefined): string[] {
  const entries: string[] = []
  const lines = readLines(path).entries()
  for (const [index, raw] of lines) {
    const line = index === 0 ? raw.replace(/^\uFEFF/, '') : raw
    const text = line.replace(/^[ \t]+/, '')
    if (text === '' || text.startsWith('#')) continue
    const [key, value] = cut(text, '=')
    if (key === '') throw new Error(`no variable name on line '${text}'`)
    if (/\s/.test(key)) throw new Error(`variable '${key}' contains whitespaces`)
    if (value !== undefined) {
      entries.push(`${key}=${value}`)
      continue
    }
    const found = lookup(key)
    if (found !== undefined) entries.push(`${key}=${found}`)
  }
  return entries
}

function readLines(path: string): string[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(openError(path, error as NodeJS.ErrnoException))
  }
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  if (lines.at(-1) === '') lines.pop()
  return lines
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  EEXIST: 'file exists',
}

/** Go's wording for a file that could not be opened. */
export function openError(path: string, error: NodeJS.ErrnoException): string {
  const reason = REASONS[error.code ?? ''] ?? error.message
  return `${error.code === 'EISDIR' ? 'read' : 'open'} ${path}: ${reason}`
}

/** Variables from files first, then from flags, as Docker orders them. */
export function collectEnv(files: readonly string[], flags: readonly string[]): string[] {
  return [...files.flatMap((file) => readKeyValueFile(file, (key) => process.env[key])), ...flags]
}

export function collectLabels(files: readonly string[], flags: readonly string[]): Record<string, string> {
  const pairs = [...files.flatMap((file) => readKeyValueFile(file, () => undefined)), ...flags]
  return toMap(pairs)
}

export function toMap(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => [cut(pair, '=')[0], cut(pair, '=')[1] ?? '']))
}
