/** The text of docs/compatibility.md: operations from the endpoint table, clients from recorded calls. */
import { publishedOperations, servedEndpoints, unservedOperations } from '@dockerd-ts/api'
import type { RecordedCall } from '../../docker-compat-tests/support/calls.ts'

export const clients = ['docker', 'docker-ts', 'dockerode', 'docker-py', 'testcontainers', 'compose'] as const

interface Operation {
  method: string
  path: string
  operation: string
  /** `served`, or the status and text of the refusal. */
  answer: string
  published: boolean
}

const statuses = { unavailable: 503, notImplemented: 501, notFound: 404 }

/** Every operation of Docker's description in its order, then what is served beside it. */
export function operations(): Operation[] {
  const published = publishedOperations.map(([, , operation]) => operation)
  const place = ({ operation }: { operation: string }) => {
    const index = published.indexOf(operation)
    return index === -1 ? published.length : index
  }
  const all = [
    ...servedEndpoints.map(({ method, path, operation }) => ({ method, path, operation, answer: 'served' })),
    ...unservedOperations.map(({ method, path, operation, kind, message }) => ({
      ...{ method, path, operation },
      answer: `${statuses[kind]} ${message}`,
    })),
  ]
  return all
    .map((one) => ({ ...one, published: published.includes(one.operation) }))
    .sort((a, b) => place(a) - place(b))
}

/** What the endpoint table alone says; the check compares it with the committed file. */
export function operationColumns({ method, path, operation, answer, published }: Operation): string {
  const name = published ? operation : `${operation} †`
  return `| ${name} | \`${method} ${path}\` | ${answer.replaceAll('|', '\\|')} |`
}

/** Which clients were answered at least once, or only refused. */
function clientColumns(operation: string, calls: readonly RecordedCall[]): string {
  const cells = clients.map((client) => {
    const own = calls.filter((call) => call.client === client && call.operation === operation)
    if (own.length === 0) return ''
    return own.some(({ answered }) => answered) ? 'yes' : 'refused'
  })
  return ` ${cells.join(' | ')} |`
}

export interface DocumentFacts {
  calls: readonly RecordedCall[]
  /** The names of docker's commands whose output is compared. */
  commands: readonly string[]
  comparisons: { outputs: number; requests: number }
}

export function compatibilityDocument({ calls, commands, comparisons }: DocumentFacts): string {
  return `# Compatibility

Written by \`npm run compatibility\` from a run of \`docker-compat-tests/\`; not by hand. The clients' columns come from
the requests that the daemons of that run were sent: *yes* is a call that was answered, *refused* one that was only ever
answered with an error, empty one that the tests did not make.

## Clients of the run

| client | versions | judged by |
|---|---|---|
${clientRows(calls)}

## Operations

† is not in Docker's published description of the API.

| operation | request | answer | ${clients.join(' | ')} |
|---|---|---|${clients.map(() => '---|').join('')}
${operationRows((operation) => clientColumns(operation, calls))}

## docker and docker-ts

${comparisons.outputs} scripts are run with both, on the same daemon: stdout, stderr and exit code have to be equal. ${comparisons.requests} command lines are
given to both, and the requests that they send have to be equal. Commands that occur in them:

${commands.map((command) => `\`${command}\``).join(', ')}
`
}

const judges: Record<(typeof clients)[number], string> = {
  docker: 'spine.test.ts; cli/ compares docker-ts with it',
  'docker-ts': 'spine.test.ts, cli/',
  dockerode: 'dockerode/',
  'docker-py': 'docker-py/',
  testcontainers: 'testcontainers/',
  compose: 'compose/',
}

function clientRows(calls: readonly RecordedCall[]): string {
  return clients
    .map((client) => {
      const versions = new Set(calls.filter((call) => call.client === client).map((call) => call.clientVersion))
      return `| ${client} | ${[...versions].sort().join(', ') || 'not in the run'} | ${judges[client]} |`
    })
    .join('\n')
}

const operationRows = (clientCells: (operation: string) => string): string =>
  operations()
    .map((one) => operationColumns(one) + clientCells(one.operation))
    .join('\n')

/** The document with the operations of the code, and the clients' cells as they stood. */
export function withCurrentOperations(text: string): string {
  const cells = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [columns] = committedColumns(line)
    if (columns !== undefined) cells.set(/^\| (\w+)/.exec(columns)?.[1] ?? '', line.slice(columns.length))
  }
  const rows = operationRows((operation) => cells.get(operation) ?? clientColumns(operation, []))
  return text.replace(/(?<=^\| operation \|.*\n\|-.*\n)(?:\|.*\n)+/m, () => `${rows}\n`)
}

/** The operation columns of every row of a document. */
export function committedColumns(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\| \w+(?: †)? \| `[A-Z]+ \/[^`]*` \| .*? \|(?= )/.exec(line)?.[0] ?? [])
}

/** `client operation` of every *yes* in a document. */
export function committedAnswers(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [columns = ''] = committedColumns(line)
    if (columns === '') return []
    const operation = /^\| (\w+)/.exec(columns)?.[1] ?? ''
    const cells = line
      .slice(columns.length)
      .split('|')
      .map((cell) => cell.trim())
    return clients.flatMap((client, index) => (cells[index] === 'yes' ? [`${client} ${operation}`] : []))
  })
}
