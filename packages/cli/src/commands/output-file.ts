/** Writes an archive to a file or to standard output; a failed download leaves no half file. */
import { createWriteStream, existsSync, lstatSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { isatty } from 'node:tty'
import type { Cli } from '../cli.ts'
import { ExitError } from '../command.ts'

/** `path` empty means standard output, which must not be a terminal. */
export function checkOutput(path: string, verb: string): void {
  if (path === '') {
    if (isatty(1)) throw new ExitError(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect')
    return
  }
  const dir = dirname(path)
  if (!existsSync(dir)) throw new ExitError(1, `failed to ${verb}: invalid output path: directory ${JSON.stringify(dir)} does not exist`)
  if (existsSync(path) && !isWritableTarget(path)) throw new ExitError(1, `failed to ${verb}: invalid output path: ${JSON.stringify(path)} must be a regular file`)
}

function isWritableTarget(path: string): boolean {
  const stat = lstatSync(path)
  return stat.isFile() || stat.isSymbolicLink() || path === '/dev/null' || stat.isFIFO()
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
