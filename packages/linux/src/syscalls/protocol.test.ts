import { readFileSync } from 'node:fs'
import t from 'tap'
import { createKind, monitorState, operation, portFlag, streamFlag, tag } from './protocol.ts'

const header = readFileSync(new URL('../../../monitor/src/protocol.h', import.meta.url), 'utf8')

function constants(prefix: string): Record<string, number> {
  const found = [...header.matchAll(new RegExp(`\\b${prefix}_([A-Z0-9_]+) = (\\d+)`, 'g'))]
  return Object.fromEntries(found.map((match) => [match[1], Number(match[2])]))
}

t.test('the C program and its client use the same numbers', (t) => {
  t.strictSame(constants('OP'), operation)
  t.strictSame(constants('TAG'), tag)
  t.strictSame(constants('STATE'), monitorState)
  t.strictSame(constants('STREAM'), streamFlag)
  t.strictSame(constants('PORT'), portFlag)
  t.strictSame(constants('PORT'), portFlag)
  t.strictSame(constants('CREATE'), createKind)
  t.end()
})
