import fc from 'fast-check'
import t from 'tap'
import { type DockerLogLine, dockerLogLine } from '../../test/docker-log.ts'
import { JsonLineReader } from './json-line.ts'

function readAll(bytes: Buffer) {
  const reader = new JsonLineReader()
  const records = []
  for (let at = 0; at < bytes.length; ) {
    const { next, found } = reader.read(bytes, at)
    at = next
    if (!found) continue
    const { textStart, textEnd, isStdout, timeNs, attributes } = reader
    const text = reader.text.subarray(textStart, textEnd).toString('utf8')
    records.push({ text, stream: isStdout ? 'stdout' : 'stderr', timeNs, ...(attributes && { attributes }) })
  }
  return records
}

const line = fc.record(
  {
    text: fc.string({ unit: 'binary', maxLength: 60 }),
    stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    timeNs: fc.bigInt({ min: 0n, max: 253_402_300_799_999_999_999n }),
    attributes: fc.option(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), { nil: undefined }),
  },
  { requiredKeys: ['text', 'stream', 'timeNs'] },
)

t.test('what Docker writes is read back, whatever the text', async (t) => {
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const records = readAll(Buffer.from(lines.map((one) => dockerLogLine(one as DockerLogLine)).join('')))
      const expected = lines.map(({ attributes, ...rest }) => ({
        ...rest,
        ...(attributes && { attributes: { ...attributes } }),
      }))
      return t.same(records, expected)
    }),
    { numRuns: 300 },
  )
})

const time = '"time":"2026-11-24T09:24:51.5Z"'
const timeNs = BigInt(Date.UTC(2026, 10, 24, 9, 24, 51)) * 1_000_000n + 500_000_000n

t.test('every escape of JSON is resolved, lone surrogates become replacement characters', async (t) => {
  const text = String.raw`\"\\\/\b\f\n\r\t\u00e4\u20AC\ud83d\udc33 \ud83d! \udc33 \ud83d\u0041`
  t.strictSame(readAll(Buffer.from(`{"log":"${text}","stream":"stdout",${time}}\n`)), [
    { text: '"\\/\b\f\n\r\tä€🐳 \ufffd! \ufffd \ufffdA', stream: 'stdout', timeNs },
  ])
})

t.test('other valid JSON is read the slow way with the same result', async (t) => {
  const forms = [
    `{ "log": "x\\n", "stream": "stderr", ${time} }`,
    `{"stream":"stderr","log":"x\\n",${time}}`,
    `{"log":"x\\n","stream":"stderr","other":[1],${time}}`,
    '{"log":"x\\n","stream":"stderr","time":"2026-11-24T10:24:51.500+01:00"}',
  ]
  for (const form of forms) t.strictSame(readAll(Buffer.from(`${form}\n`)), [{ text: 'x\n', stream: 'stderr', timeNs }])
})

t.test('damage costs the damaged record only', async (t) => {
  const good = `{"log":"good\\n","stream":"stdout",${time}}`
  const expected = { text: 'good\n', stream: 'stdout', timeNs }
  const damaged = [
    '',
    'noise',
    '{"log":"cut',
    '{"log":"cut\\',
    `{"log":"bad \\x","stream":"stdout",${time}}`,
    `{"log":"bad \\u12","stream":"stdout",${time}}`,
    `{"log":"x","stream":"stdout","time":"2026-13-44T99:24:51Z"}`,
    `{"log":5,"stream":"stdout",${time}}`,
    `{"log":"x","stream":"stdout","attrs":{"a":"b",${time}}`,
    'null',
    '[1]',
  ]
  for (const bad of damaged) {
    t.strictSame(readAll(Buffer.from(`${good}\n${bad}\n${good}\n`)), [expected, expected], JSON.stringify(bad))
  }
  t.strictSame(readAll(Buffer.from(`{"log":"torn by a cras${good}\n`)), [expected], 'a record behind a torn one')
})
