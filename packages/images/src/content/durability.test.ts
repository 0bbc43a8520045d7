/** A disk that never answers does not keep the daemon from ending. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Durability } from './durability.ts'

function unsynchronised(t: Test, synchronise: () => Promise<void>) {
  const root = t.testdir()
  const warnings: string[] = []
  const logger = { debug() {}, info() {}, error() {}, warn: (_: object, text: string) => void warnings.push(text) }
  const durability = new Durability({ root, synchronise, logger, bootId: 'this' })
  return { durability, marker: join(root, 'unsynchronised'), warnings }
}

t.test('the end waits for a disk that is ready in time', async (t) => {
  const { durability, marker } = unsynchronised(t, () => new Promise((resolve) => setTimeout(resolve, 20)))
  await durability.record(async () => {})
  t.ok(existsSync(marker))
  await durability.close(60_000)
  t.notOk(existsSync(marker), 'nothing is left to be checked')
})

t.test('it does not wait for one that never is: the marker stays for the next daemon', async (t) => {
  let fail = (_: Error) => {}
  const { durability, marker, warnings } = unsynchronised(t, () => new Promise((_, reject) => (fail = reject)))
  await durability.record(async () => {})
  await durability.close(20)
  t.ok(existsSync(marker))
  fail(new Error('the program that synchronises was ended'))
  await durability.close(20)
  t.same(warnings, [], 'and nobody is told that it is tried again')
})
