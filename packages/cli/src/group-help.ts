/** The help of the program itself and of command groups. */
import { commonCommands, type Group, isGroup, type Leaf } from './commands/tree.ts'
import { globalFlags } from './options/global-flags.ts'
import { optionLines } from './usage.ts'

const NAME_WIDTH = 11

export function groupHelp(group: Group, path: string, columns: number): string {
  if (path === '') return rootHelp(group, columns)
  const lines = [
    `Usage:  docker ${path} COMMAND`,
    '',
    group.short,
    '',
    'Commands:',
    ...rows(Object.entries(group.commands)),
  ]
  return `${lines.join('\n')}\n\nRun 'docker ${path} COMMAND --help' for more information on a command.\n`
}

function rootHelp(group: Group, columns: number): string {
  const entries = Object.entries(group.commands)
  const common = commonCommands.map((name): [string, Leaf | Group] => [name, group.commands[name] as Leaf | Group])
  const lines = [
    'Usage:  docker [OPTIONS] COMMAND',
    '',
    group.short,
    '',
    'Common Commands:',
    ...rows(common, false),
    '',
    'Management Commands:',
    ...rows(entries.filter(([, entry]) => isGroup(entry))),
    '',
    'Commands:',
    ...rows(entries.filter(([name, entry]) => !isGroup(entry) && !commonCommands.includes(name))),
    '',
    'Global Options:',
    ...optionLines(globalFlags, columns),
  ]
  return `${lines.join('\n')}\n\nRun 'docker COMMAND --help' for more information on a command.\n`
}

function rows(entries: [string, Leaf | Group][], sorted = true): string[] {
  const visible = entries.filter(([, entry]) => isGroup(entry) || !entry.hidden)
  if (sorted) visible.sort(([a], [b]) => (a < b ? -1 : 1))
  return visible.map(([name, entry]) => `  ${name.padEnd(NAME_WIDTH)} ${entry.short}`)
}
