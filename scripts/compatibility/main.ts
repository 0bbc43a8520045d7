/**
 * Writes or checks docs/compatibility.md:
 *   main.ts write DIRECTORY   from the calls recorded there (COMPATIBILITY_RECORDS of a run of the compat tests)
 *   main.ts update            writes the operations of the code, keeps what the last run said of the clients
 *   main.ts check             fails when the operations of the committed file are not those of the code
 *   main.ts seen DIRECTORY    fails when the committed file says *yes* where the run shows no answered call
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { allCases } from '../../docker-compat-tests/cli/cases/index.ts'
import { requestCases } from '../../docker-compat-tests/cli/create-bodies.ts'
import { readRecords } from '../../docker-compat-tests/support/calls.ts'
import { commandsIn, commandsOfClient } from './commands.ts'
import {
  committedAnswers,
  committedColumns,
  compatibilityDocument,
  operationColumns,
  operations,
  withCurrentOperations,
} from './document.ts'

const file = fileURLToPath(new URL('../../docs/compatibility.md', import.meta.url))
const [verb, directory = ''] = process.argv.slice(2)

function write(): void {
  const calls = readRecords(directory)
  if (calls.length === 0) throw new Error(`no calls were recorded in ${directory}`)
  const scripts = [...allCases.map(({ script }) => script), ...requestCases.map((line) => `docker ${line}`)]
  const comparisons = { outputs: allCases.length, requests: requestCases.length }
  writeFileSync(file, compatibilityDocument({ calls, commands: commandsIn(scripts, commandsOfClient()), comparisons }))
}

/** Prints what is in one list only; true when nothing is. */
function agree(title: string, wanted: readonly string[], found: readonly string[]): boolean {
  const missing = wanted.filter((line) => !found.includes(line))
  if (missing.length > 0) console.error(`${title}:\n${missing.map((line) => `  ${line}`).join('\n')}`)
  return missing.length === 0
}

function check(): boolean {
  const wanted = operations().map(operationColumns)
  const found = committedColumns(readFileSync(file, 'utf8'))
  const complete = agree(
    'docs/compatibility.md lacks (scripts/node scripts/compatibility/main.ts update adds it)',
    wanted,
    found,
  )
  return agree('docs/compatibility.md has, but the code has not', found, wanted) && complete
}

/** The SDKs always run in full; how many comparisons with docker run depends on the version that is there. */
const alwaysRun = /^(dockerode|docker-py|testcontainers) /

function seen(): boolean {
  const answered = readRecords(directory)
    .filter((call) => call.answered)
    .map(({ client, operation }) => `${client} ${operation}`)
  const claimed = committedAnswers(readFileSync(file, 'utf8')).filter((claim) => alwaysRun.test(claim))
  return agree('docs/compatibility.md says yes, this run does not', claimed, answered)
}

if (verb === 'write') write()
else if (verb === 'update') writeFileSync(file, withCurrentOperations(readFileSync(file, 'utf8')))
else if (verb === 'check') process.exitCode = check() ? 0 : 1
else if (verb === 'seen') process.exitCode = seen() ? 0 : 1
else {
  console.error('usage: main.ts write DIRECTORY | update | check | seen DIRECTORY')
  process.exitCode = 2
}
