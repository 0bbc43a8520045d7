import t from 'tap'
import { goTimeSeconds, normalGoTime, parseGoTime } from './go-time.ts'

t.test('times keep their nanoseconds and their zone', async (t) => {
  t.equal(parseGoTime('1970-01-01T00:00:01.000000002Z'), 1_000_000_002n)
  t.equal(parseGoTime('1970-01-01T02:00:00+02:00'), 0n)
  t.equal(parseGoTime('yesterday'), undefined)
  t.equal(goTimeSeconds('1969-12-31T23:59:58.5Z'), -2)
  t.equal(goTimeSeconds(null), 0)
  t.equal(normalGoTime('2024-05-06T07:08:09.1230+02:00'), '2024-05-06T07:08:09.123+02:00')
  t.equal(normalGoTime('2024-05-06T07:08:09.000+00:00'), '2024-05-06T07:08:09Z')
  t.equal(normalGoTime('2024-13-06T07:08:09Z'), undefined)
})
