import t from 'tap'
import { commandsIn } from './commands.ts'
import {
  committedAnswers,
  committedColumns,
  compatibilityDocument,
  operationColumns,
  operations,
  withCurrentOperations,
} from './document.ts'

const calls = [
  { client: 'dockerode', clientVersion: '5.0.1', operation: 'ContainerList', answered: true },
  { client: 'docker-py', clientVersion: '5.0.3', operation: 'ContainerList', answered: false },
  { client: 'dockerode', clientVersion: '5.0.1', operation: 'SwarmInit', answered: false },
]
const document = compatibilityDocument({ calls, commands: ['ps'], comparisons: { outputs: 1, requests: 2 } })

t.test('every operation has one row, and a document is read back as it was written', async (t) => {
  const rows = committedColumns(document)
  t.same(rows, operations().map(operationColumns))
  t.equal(new Set(rows).size, rows.length)
  t.ok(rows.some((row) => row.startsWith('| SwarmInit | `POST /swarm/init` | 503 This node is not')))
})

t.test('an update keeps the cells of clients and mends the operations', async (t) => {
  t.equal(withCurrentOperations(document), document)
  const stale = document.replace(
    '| ContainerList | `GET /containers/json` | served |',
    '| ContainerList | `GET /x` | 501 no |',
  )
  t.not(stale, document)
  t.equal(withCurrentOperations(stale), document)
  t.equal(withCurrentOperations(document.replace(/^\| ImageList .*\n/m, '')), document)
})

t.test('only what was answered counts as an answer', async (t) => {
  t.same(committedAnswers(document), ['dockerode ContainerList'])
  t.match(
    document,
    /\| ContainerList \| `GET \/containers\/json` \| served \| {2}\| {2}\| yes \| refused \| {2}\| {2}\|/,
  )
  t.match(document, '| dockerode | 5.0.1 |')
  t.match(document, '| testcontainers | not in the run |')
})

t.test('commands are found in scripts, with their group', async (t) => {
  const scripts = ['docker ps -a; docker image ls', 'docker -H x run', 'echo docker rm']
  t.same(commandsIn(scripts, ['image ls', 'image rm', 'ps', 'rm', 'run']), ['image ls', 'ps', 'rm'])
})
