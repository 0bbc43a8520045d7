/** Help and the command tree: every command loads, and every help keeps the layout. */
import t from 'tap'
import { atLeast, atMost, between, defineCommand, exactly, noArguments } from './command.ts'
import { findCommand, type Group, isGroup, type Leaf, root } from './commands/tree.ts'
import { groupHelp } from './group-help.ts'
import { bool, string } from './options/flags.ts'
import { argumentComplaint, helpText } from './usage.ts'

function* leaves(group: Group, path: string[] = []): Generator<[string, Leaf]> {
  for (const [name, entry] of Object.entries(group.commands)) {
    if (isGroup(entry)) yield* leaves(entry, [...path, name])
    else yield [[...path, name].join(' '), entry]
  }
}

t.test('every command loads and its help fits the line', async (t) => {
  for (const [path, leaf] of leaves(root)) {
    const command = await leaf.load()
    const lines = helpText(path, command, 80).split('\n')
    t.match(lines[0], `Usage:  docker ${path}`)
    // Docker's wrapping lets a line exceed the width by a short word.
    t.ok(
      lines.slice(2).every((line) => line.length <= 85),
      path,
    )
    t.equal(findCommand(path.split(' ')).path, path)
  }
})

t.test('options are wrapped beside their names', async (t) => {
  const command = defineCommand({
    usage: '[OPTIONS]',
    short: 'Do it',
    args: noArguments,
    flags: {
      all: bool('a', 'Everything'),
      'a-long-name': string(
        '',
        'Words that go on for so long that they do not fit into the rest of one line of eighty',
      ),
    },
    run: async () => {},
  })
  t.equal(
    helpText('do', command, 80),
    [
      'Usage:  docker do [OPTIONS]',
      '',
      'Do it',
      '',
      'Options:',
      '      --a-long-name string   Words that go on for so long that they do',
      '                             not fit into the rest of one line of eighty',
      '  -a, --all                  Everything',
      '',
    ].join('\n'),
  )
})

t.test('wrong numbers of arguments are told as Docker tells them', async (t) => {
  const complaint = (args: typeof noArguments, count: number) =>
    argumentComplaint(
      'x',
      defineCommand({ usage: 'A', short: '', args, flags: {}, run: async () => {} }),
      count,
    )?.split('\n')[0]
  t.equal(complaint(noArguments, 1), "docker: 'docker x' accepts no arguments")
  t.equal(complaint(exactly(2), 1), "docker: 'docker x' requires 2 arguments")
  t.equal(complaint(atLeast(1), 0), "docker: 'docker x' requires at least 1 argument")
  t.equal(complaint(atMost(1), 2), "docker: 'docker x' requires at most 1 argument")
  t.equal(complaint(between(1, 2), 3), "docker: 'docker x' requires at least 1 and at most 2 arguments")
  t.equal(complaint(exactly(2), 2), undefined)
})

t.test('groups list their commands', async (t) => {
  t.match(
    groupHelp(root.commands.container as Group, 'container', 80),
    /^Usage: {2}docker container COMMAND\n[\s\S]*\n {2}wait +\S/,
  )
  t.match(groupHelp(root, '', 80), /Common Commands:\n {2}run [\s\S]*Global Options:/)
})

t.test('aliases lead to the same command', async (t) => {
  t.equal(findCommand(['container', 'list', 'x']).path, 'container ls')
  t.same(findCommand(['container', 'list', 'x']).rest, ['x'])
  t.equal(findCommand(['constructor']).leaf, undefined)
})
