import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { withTables } from './documentation.ts'

t.test('docs/configuration.md has every option as the daemon has it', async (t) => {
  const path = fileURLToPath(new URL('../../../../docs/configuration.md', import.meta.url))
  const document = readFileSync(path, 'utf8')
  t.match(document, '`--default-address-pool`')
  t.equal(document, withTables(document), 'run scripts/document-options')
})
