/**
 * Every field of a create request has its rows: a value and where its effect shows, or how it is refused. A value that
 * makes no difference fails, and so does a field of the schema without a row.
 */
import t, { type Test } from 'tap'
import { createFields, withField } from './create-options/fields.ts'
import { createRows } from './create-options/index.ts'
import { observe, placeIn } from './create-options/observe.ts'
import type { Row } from './create-options/row.ts'

t.test('every field of a create request has a row, and no row is of a field that is none', async (t) => {
  const fields = createFields()
  const named = new Set(createRows.map(({ field }) => field))
  t.strictSame(
    fields.filter((field) => !named.has(field)),
    [],
    'fields without a row',
  )
  t.strictSame(
    [...named].filter((field) => !fields.includes(field)),
    [],
    'rows without a field',
  )
})

for (const row of createRows) {
  const what = row.effect.kind === 'shown' ? 'shows' : row.effect.kind === 'refused' ? 'is refused' : 'has no effect'
  t.test(`${row.field} ${JSON.stringify(row.value)} ${what}`, (t) => judge(t, row))
}

async function judge(t: Test, { field, value, with: rest, on, neededToStart, effect }: Row): Promise<void> {
  const request = { Image: 'busybox', ...rest }
  const without = await observe(request, on)
  const seen = await observe(withField(request, field, value), on)
  if (effect.kind === 'without-effect') {
    t.strictSame(seen, without, effect.reason)
    return
  }
  if (effect.kind === 'refused') {
    t.strictSame(seen.refused, { status: effect.status, text: effect.text })
    t.not(without.refused?.text, effect.text, 'it is the field that is refused')
    return
  }
  t.equal(seen.refused?.text, undefined, 'the container starts')
  t.equal(without.refused !== undefined, neededToStart, 'and without the field only if it is not needed')
  for (const [place, wanted] of Object.entries(effect.at)) {
    t.strictSame(placeIn(seen, place), wanted, place)
    t.notSame(placeIn(without, place), wanted, `${place} is another without the field`)
  }
}
