/** Writes an archive to a file or to standard output; a failed download leaves no half file. */
import { createWriteStream, existsSync, lstatSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isatty } from 'node:tty'
import type { Cli } from '../cli.ts'
import { ExitError } from '../exit-error.ts'

/** `path` empty means standard output, which must not be a terminal. */
export function checkOutput(path: string, verb: string): void {
  if (path === '') {
    if (isatty(1)) throw new ExitError(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect')
    return
  }
  const dir = dirname(path)
  if (!existsSync(dir))
    throw new ExitError(1, `failed to ${verb}: invalid output path: stat ${dir}: no such file or directory`)
  const kind = unwritableKind(path)
  if (kind) throw new ExitError(1, `failed to ${verb}: ${kind}`)
}

function unwritableKind(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory()) return `invalid output path: ${JSON.stringify(path)} must be a regular file`
  if (stat?.isCharacterDevice()) return 'cannot write to a character device file'
  return stat?.isBlockDevice() ? 'cannot write to a device file' : undefined
}

export async function writeOutput(cli: Cli, path: string, body: AsyncIterable<Buffer>): Promise<void> {
  if (path === '') {
    for await (const chunk of body) cli.out(chunk)
    return
  }
  const special = existsSync(path) && !lstatSync(path).isFile()
  const temporary = special ? path : `${path}.${process.pid}.tmp`
  const file = createWriteStream(temporary, { mode: 0o600 })
  try {
    const { pipeline } = await import('node:stream/promises')
    await pipeline(body, file)
    if (!special) renameSync(temporary, path)
  } catch (error) {
    if (!special) rmSync(temporary, { force: true })
    throw error
  }
}
