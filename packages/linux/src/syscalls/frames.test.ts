import fc from 'fast-check'
import t from 'tap'
import { encodeMessage, MessageReader } from './frames.ts'

const field = fc.tuple(
  fc.integer({ min: 1, max: 0xffff }),
  fc.oneof(
    fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  ),
)

t.test('what was encoded is decoded, however the bytes are cut', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(field, { selector: ([fieldTag]) => fieldTag, maxLength: 8 }),
      fc.integer({ min: 1, max: 64 }),
      (fields, step) => {
        const bytes = Buffer.concat([encodeMessage(7, 3, fields), encodeMessage(8, 0, [])])
        const reader = new MessageReader()
        const messages = []
        for (let at = 0; at < bytes.length; at += step) messages.push(...reader.push(bytes.subarray(at, at + step)))
        const [first, second] = messages
        t.same([messages.length, first?.id, first?.code, second?.id], [2, 7, 3, 8])
        // In one comparison: the number of assertions is the same in every run.
        const decoded = fields.map(([fieldTag, value]) =>
          typeof value === 'string' ? first?.text(fieldTag) : first?.bigint(fieldTag),
        )
        t.same(
          decoded,
          fields.map(([, value]) => value),
        )
        t.equal(reader.rest.length, 0)
      },
    ),
  )
  t.end()
})

t.test('a text with NUL inside is refused', (t) => {
  t.throws(() => encodeMessage(1, 1, [[1, 'a\0b']]), TypeError)
  t.end()
})

t.test('a peer that speaks something else is noticed', (t) => {
  t.throws(() => new MessageReader().push(Buffer.from('HTTP/1.1 400 Bad Request\r\n')), RangeError)
  const cut = encodeMessage(1, 0, [[1, 'text']])
  cut.writeUInt32LE(400, 12)
  t.throws(() => new MessageReader().push(cut), RangeError)
  t.end()
})
