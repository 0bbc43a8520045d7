/** `--userns-remap default`: the account `dockremap` with ranges of its own, made when it is not there. */
import { appendFileSync, readFileSync } from 'node:fs'
import { type IdMap, internal } from '@dockerd-ts/core'
import { runCommand } from '../command/run-command.ts'
import { readIdMap } from './id-ranges.ts'

const accountName = 'dockremap'
const rangeSize = 65_536
const firstRange = 100_000

/** Of the option as it was given; makes what `default` needs. */
export async function remapUser(option: string): Promise<IdMap> {
  if (option !== 'default') return readIdMap(option)
  if (!hasLine('/etc/passwd', accountName)) await makeAccount()
  for (const file of ['/etc/subuid', '/etc/subgid']) {
    if (!hasLine(file, accountName)) appendFileSync(file, `${accountName}:${freeStart(file)}:${rangeSize}\n`)
  }
  return readIdMap(accountName)
}

async function makeAccount(): Promise<void> {
  try {
    await runCommand(
      ['useradd', '--system', '--user-group', '--no-create-home', '--shell', '/bin/false', accountName],
      { timeoutMs: 30_000, maxOutputBytes: 65_536 },
    )
  } catch (error) {
    throw internal(`Error during "${accountName}" user creation: ${(error as Error).message}`, error)
  }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const hasLine = (file: string, name: string): boolean => linesOf(file).some((line) => line.startsWith(`${name}:`))

/** Behind all ranges that others have. */
function freeStart(file: string): number {
  const ends = linesOf(file).flatMap((line) => {
    const [, first = '', size = ''] = line.split(':')
    return /^\d+$/.test(first) && /^\d+$/.test(size) ? [Number(first) + Number(size)] : []
  })
  return Math.max(firstRange, ...ends)
}
