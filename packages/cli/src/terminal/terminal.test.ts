import fc from 'fast-check'
import t from 'tap'
import { DetachScanner, parseDetachKeys } from './detach-keys.ts'

t.test('detach keys are named', async (t) => {
  t.same(parseDetachKeys('ctrl-p,ctrl-q'), [16, 17])
  t.same(parseDetachKeys('a,DEL,ctrl-@,ctrl-['), [97, 127, 0, 27])
  t.throws(() => parseDetachKeys('ctrl-1'), new Error("Unknown character: 'ctrl-1'"))
  t.throws(() => parseDetachKeys('ab'), new Error("Unknown character: 'ab'"))
})

t.test('the sequence is swallowed and ends the input, over several reads too', async (t) => {
  const scanner = new DetachScanner([16, 17])
  t.same(scanner.scan(Uint8Array.of(97, 16)), { forward: Uint8Array.of(97), detached: false })
  t.same(scanner.scan(Uint8Array.of(17, 98)), { forward: Uint8Array.of(), detached: true })
})

t.test('what only began like it is passed on', async (t) => {
  const scanner = new DetachScanner([16, 17])
  t.same(scanner.scan(Uint8Array.of(16, 16, 98)).forward, Uint8Array.of(16, 16, 98))
})

t.test('nothing is lost or added while the sequence does not occur', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ max: 15 })), (chunks) => {
      const scanner = new DetachScanner([16, 17])
      const sent = chunks.flatMap((chunk) => [...scanner.scan(chunk).forward])
      return JSON.stringify(sent) === JSON.stringify(chunks.flatMap((chunk) => [...chunk]))
    }),
  )
})
