/** The texts are dockerd's answers to these bodies, after `invalid JSON: `. */
import fc from 'fast-check'
import t from 'tap'
import { findSyntaxError } from './json-syntax.ts'

const answers: [body: string, text: string][] = [
  ['x', "invalid character 'x' looking for beginning of value"],
  ['é', "invalid character 'Ã' looking for beginning of value"],
  ['{"a":é}', "invalid character 'Ã' looking for beginning of value"],
  [' ', 'EOF'],
  ...['{', '{"a"', '{"a":', '{"a":1', '{"a":1,', '[', '[1', '[1,', '{"a":nul', '{"a":"x', 'nul', '{"Image": "x"'].map(
    (body): [string, string] => [body, 'unexpected EOF'],
  ),
  ...['"', '"\\', '"\\u12', '-', '1.', '1e', '1e+'].map((body): [string, string] => [body, 'unexpected EOF']),
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
  ['{,}', "invalid character ',' looking for beginning of object key string"],
  ['[1 2]', "invalid character '2' after array element"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ['{"a":01}', "invalid character '1' after object key:value pair"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
  ['{"a":trux}', "invalid character 'x' in literal true (expecting 'e')"],
  ['{"a":"\\x"}', "invalid character 'x' in string escape code"],
  ['{"a":"\\u12g4"}', "invalid character 'g' in \\u hexadecimal character escape"],
  ['{"a":"\u0001"}', "invalid character '\\x01' in string literal"],
  ['{"a":"\n"}', "invalid character '\\n' in string literal"],
  ['{"a":-}', "invalid character '}' in numeric literal"],
  ['{"a":-x}', "invalid character 'x' in numeric literal"],
  ['{"a":1.}', "invalid character '}' after decimal point in numeric literal"],
  ['{"a":1.x}', "invalid character 'x' after decimal point in numeric literal"],
  ['{"a":1e}', "invalid character '}' in exponent of numeric literal"],
  ['{"a":1e+x}', "invalid character 'x' in exponent of numeric literal"],
]

t.test('the fault is told as Go tells it', async (t) => {
  for (const [body, message] of answers) t.strictSame(findSyntaxError(body), { kind: 'error', message }, body)
})

t.test('what follows a whole value is no fault of it', async (t) => {
  for (const value of ['{}', '{"a":[1,{"b":"\\u00e9\\n"},[]],"c":{}}', '[]', '5', '-0.5e+3', '"x"', 'true', 'null']) {
    t.strictSame(findSyntaxError(` ${value} x`), { kind: 'value', end: value.length + 1 }, value)
  }
})

t.test('a text of nothing but brackets takes no stack', async (t) => {
  t.strictSame(findSyntaxError('['.repeat(1_000_000)), { kind: 'error', message: 'unexpected EOF' })
})

t.test('it finds a fault where JSON.parse does, and nowhere else', async (t) => {
  const cut = fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 }), fc.nat(2)).map(([json, at, more, gone]) => {
    const place = at % (json.length + 1)
    return json.slice(0, place) + more + json.slice(place + gone)
  })
  fc.assert(
    fc.property(cut, (text) => {
      const found = findSyntaxError(text)
      const whole = found.kind === 'value' && /^[ \t\r\n]*$/.test(text.slice(found.end))
      try {
        JSON.parse(text)
        return whole
      } catch {
        return !whole
      }
    }),
    { numRuns: 1000 },
  )
  t.pass()
})
