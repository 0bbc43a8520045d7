import t from 'tap'
import { matchesReference, pathPattern } from './path-match.ts'
import { parseReference } from './reference.ts'

t.test("patterns mean what Go's path.Match makes of them", async (t) => {
  const cases: [string, string, boolean][] = [
    ['alpine', 'alpine', true],
    ['alp*', 'alpine:3', true],
    ['*', 'a/b', false],
    ['*/*', 'a/b', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['a.c', 'abc', false],
    ['a+(b)', 'a+(b)', true],
    ['**********b', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaac', false],
  ]
  for (const [pattern, text, matches] of cases) t.equal(pathPattern(pattern).test(text), matches, `${pattern} ${text}`)
  for (const bad of ['[', 'a[b', '[]', 'a\\', '[c-a]', '[-]']) {
    t.throws(() => pathPattern(bad), { kind: 'invalidArgument', message: 'syntax error in pattern' }, bad)
  }
})

t.test('a reference matches with its tag or by its name alone', async (t) => {
  const reference = parseReference('user/app:1.2')
  for (const pattern of ['user/app', 'user/app:1*', '*/app:*']) t.ok(matchesReference(pathPattern(pattern), reference))
  for (const pattern of ['app', '*', 'user/app:2']) t.notOk(matchesReference(pathPattern(pattern), reference))
})
