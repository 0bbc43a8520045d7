import t from 'tap'
import { fakeRecords } from './fake-records.ts'
import { recordsContract } from './records-contract.ts'

recordsContract((name, body) => t.test(name, body), fakeRecords)

t.test('commits are counted', async (t) => {
  const records = fakeRecords()
  records.setValue('a', 'b')
  records.transaction(() => {
    records.setValue('a', 'c')
    records.setValue('a', 'd')
  })
  t.equal(records.commits, 2)
})
