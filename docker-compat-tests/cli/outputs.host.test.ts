/** docker and docker-ts say the same about our daemon, command by command: Debian's docker, and the newest. */
import t from 'tap'
import { allCases, outputCases } from './cases/index.ts'
import { compareClients } from './compare-clients.ts'
import { differsBefore28 } from './older-client.ts'

await compareClients(t, outputCases)

t.test('every case that an older client is excused from is there', async (t) => {
  const names = new Set(allCases.map(({ name }) => name))
  t.equal(names.size, allCases.length, 'each has a name of its own')
  t.same(
    Object.keys(differsBefore28).filter((name) => !names.has(name)),
    [],
  )
})
