/** Tables, sizes, times, ports, JSON text. */

import { compileTemplate } from '@dockerd-ts/go-template/execute'
import { toJson } from '@dockerd-ts/go-template/print'
import fc from 'fast-check'
import t from 'tap'
import { parseExact, typed, untyped } from './go-types.ts'
import { indentJson } from './json-text.ts'
import { displayPorts } from './ports.ts'
import { alignTabs, TABLE } from './tabs.ts'
import { binarySize, ellipsis, humanDuration, humanSize } from './units.ts'

t.test('sizes have as many digits as asked for', async (t) => {
  t.equal(humanSize(0), '0B')
  t.equal(humanSize(999), '999B')
  t.equal(humanSize(1_983_820), '1.984MB')
  t.equal(humanSize(1_983_820, 3), '1.98MB')
  t.equal(humanSize(999_900, 3), '1e+03kB', 'the rounding that Docker has')
  t.equal(binarySize(524_288), '512KiB')
  t.equal(binarySize(25_277_000_000), '23.54GiB')
})

t.test('durations are rounded as Docker rounds them', async (t) => {
  const cases: [number, string][] = [
    [0.5, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, 'About a minute'],
    [125, '2 minutes'],
    [3599, '59 minutes'],
    [3600, 'About an hour'],
    [5400, '2 hours'],
    [47 * 3600, '47 hours'],
    [48 * 3600, '2 days'],
    [13 * 86400, '13 days'],
    [14 * 86400, '2 weeks'],
    [60 * 86400, '2 months'],
    [800 * 86400, '2 years'],
  ]
  for (const [seconds, text] of cases) t.equal(humanDuration(seconds), text)
})

t.test('columns are as wide as their widest cell', async (t) => {
  t.equal(alignTabs('ID\tNAME\nabcdefghijkl\tx\n', TABLE), 'ID             NAME\nabcdefghijkl   x\n')
  t.equal(
    alignTabs('a\tb\tc\n\nlonger than ten\tb\tc', TABLE),
    'a         b         c\n\nlonger than ten   b         c',
    'a line without the cell ends the column',
  )
})

t.test('no cell is lost, whatever is in it', async () => {
  const cell = fc.string({ maxLength: 8 }).map((text) => text.replace(/[\t\n]/g, 'x'))
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }), (rows) => {
      const lines = alignTabs(rows.map((row) => row.join('\t')).join('\n'), TABLE).split('\n')
      return (
        lines.length === rows.length &&
        rows.every(
          (row, index) => lines[index]?.endsWith(row.at(-1) as string) && lines[index]?.startsWith(row[0] as string),
        )
      )
    }),
  )
})

t.test('neighbouring ports are shown as a range', async (t) => {
  const port = (PrivatePort: number, PublicPort?: number, IP?: string, Type = 'tcp') => ({
    PrivatePort,
    ...(PublicPort ? { PublicPort } : {}),
    ...(IP ? { IP } : {}),
    Type,
  })
  t.equal(displayPorts([port(82), port(80), port(81), port(90)]), '80-82/tcp, 90/tcp')
  t.equal(
    displayPorts([port(80, 80, '0.0.0.0'), port(81, 81, '0.0.0.0'), port(80, 80, '::')]),
    '0.0.0.0:80-81->80-81/tcp, [::]:80->80/tcp',
  )
  t.equal(
    displayPorts([port(80, 8080, '0.0.0.0'), port(53, undefined, undefined, 'udp')]),
    '53/udp, 0.0.0.0:8080->80/tcp',
  )
})

t.test('JSON keeps its order, numbers and escapes when it is indented', async (t) => {
  t.equal(
    indentJson('{"b":1.0,"8":12345678901234567890,"a":["x\\u003c",{}, [ ]]}', '  '),
    '{\n  "b": 1.0,\n  "8": 12345678901234567890,\n  "a": [\n    "x\\u003c",\n    {},\n    []\n  ]\n}',
  )
  fc.assert(
    fc.property(
      fc.jsonValue(),
      (value) => JSON.stringify(JSON.parse(indentJson(JSON.stringify(value), '    '))) === JSON.stringify(value),
    ),
  )
})

t.test('large numbers survive', async (t) => {
  const json = parseExact('{"Limit":9223372036854771712}')
  t.equal(compileTemplate('{{.Limit}}').render(untyped(json)), '9223372036854771712')
  t.equal(
    toJson(typed(json, 'T', { T: { name: 'T', fields: ['Limit int', 'Other string Other,omitempty'] } })),
    '{"Limit":9223372036854771712}',
  )
})

t.test('missing fields have their zero values', async (t) => {
  const table = {
    T: { name: 'T', fields: ['List []string', 'Map map[]int', 'Pointer *U', 'Flag bool'] },
    U: { name: 'U', fields: ['X int'] },
  }
  t.equal(toJson(typed(parseExact('{}'), 'T', table)), '{"List":null,"Map":null,"Pointer":null,"Flag":false}')
  t.equal(
    compileTemplate('{{.}}').render(typed(parseExact('{"Pointer":{}}'), 'T', table)),
    '{[] map[] 0xc000000000 false}',
  )
})

t.test('text is cut with an ellipsis', async (t) => {
  t.equal(ellipsis('abcdef', 4), 'abc…')
  t.equal(ellipsis('abcd', 4), 'abcd')
})
