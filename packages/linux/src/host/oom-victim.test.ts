import t from 'tap'
import { parseOomRecord } from './oom-victim.ts'

t.test('the victim is named by the kernel', async (t) => {
  const id = 'a'.repeat(64)
  const record = (group: string, name: string) =>
    `6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=${group},mems_allowed=0,oom_memcg=/docker/${id},task_memcg=/docker/${group},task=${name},pid=42,uid=0\n`
  t.strictSame(parseOomRecord(record(id, 'sh'), id), { pid: 42, name: 'sh' })
  t.strictSame(parseOomRecord(record(id, 'a,pid=1,uid=0'), id), { pid: 42, name: 'a,pid=1,uid=0' })
  t.equal(parseOomRecord(record('b'.repeat(64), 'sh'), id), undefined)
  t.equal(parseOomRecord('6,1,2,-;something else', id), undefined)
})
