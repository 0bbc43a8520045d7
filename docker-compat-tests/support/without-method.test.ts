/** Every operation on containers is exercised by every client that has a method for it, as docs/compatibility.md records. */
import { readFileSync } from 'node:fs'
import { publishedOperations } from '@dockerd-ts/api'
import t from 'tap'
import { committedAnswers } from '../../scripts/compatibility/document.ts'
import { clientsOfContainers, exercisedPaths, withoutMethod } from './without-method.ts'

const answered = new Set(
  committedAnswers(readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8')),
)
const wanted = publishedOperations.filter(([, path]) => exercisedPaths.test(path)).map(([, , operation]) => operation)

for (const client of clientsOfContainers) {
  t.test(client, async (t) => {
    for (const operation of wanted) {
      const reason = withoutMethod[operation]?.[client]
      const is = answered.has(`${client} ${operation}`)
      if (reason === undefined) t.ok(is, `${operation} was answered`)
      else t.notOk(is, `${operation}: ${reason}`)
    }
  })
}

t.test('what is excused exists', async (t) => {
  t.strictSame(
    Object.keys(withoutMethod).filter((operation) => !wanted.includes(operation)),
    [],
  )
})
