import t from 'tap'
import { formatTextLine } from './logger.ts'

t.test('a line reads as dockerd writes it', async (t) => {
  const line = JSON.stringify({ level: 40, time: 0, msg: 'two words', containerId: 'abc', list: [1] })
  t.equal(
    formatTextLine(line),
    'time="1970-01-01T00:00:00.000Z" level=warning msg="two words" containerId=abc list="[1]"\n',
  )
})

t.test('an error keeps its message and stack', async (t) => {
  const line = JSON.stringify({ level: 50, time: 0, msg: 'm', err: { message: 'no "x"', stack: 'a\nb' } })
  t.match(formatTextLine(line), 'error="no \\"x\\"" stack="a\\nb"')
})
