/** Help texts in Docker's layout: usage line, description, aliases, options wrapped at the terminal's width. */
import type { ArgumentRule, Command } from './command.ts'
import type { Flag, FlagSpecs } from './options/flags.ts'

const BLOCK_INDENT = 16
const LEAST_WRAP_WIDTH = 24
/** A last line may be this much longer, so that no short word is left alone on a line of its own. */
const WRAP_SLOP = 5

export function usageLine(path: string, command: Command): string {
  const forms = typeof command.usage === 'string' ? [command.usage] : command.usage
  return forms
    .map((form, index) => `${index === 0 ? 'Usage:  ' : '\t'}${`docker ${path} ${form}`.trimEnd()}`)
    .join('\n')
}

export function helpText(path: string, command: Command, columns: number): string {
  const parts = [usageLine(path, command), '', command.long ?? command.short]
  if (command.aliases && command.aliases.length > 0) parts.push('', 'Aliases:', `  ${command.aliases.join(', ')}`)
  const options = optionLines(command.flags, columns)
  if (options.length > 0) parts.push('', 'Options:', ...options)
  return `${parts.join('\n')}\n`
}

/** One block of text for each visible flag, sorted by name. */
export function optionLines(flags: FlagSpecs, columns: number): string[] {
  const rows = Object.entries(flags)
    .filter(([, flag]) => !flag.hidden)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => ({ head: flagHead(name, flag), text: flagText(flag) }))
  const width = Math.max(0, ...rows.map((row) => row.head.length))
  return rows.map(({ head, text }) => `${head.padEnd(width + 3)}${wrap(text, width + 3, columns - 1)}`)
}

function flagHead(name: string, flag: Flag<unknown>): string {
  const head = flag.short ? `  -${flag.short}, --${name}` : `      --${name}`
  return flag.label === '' ? head : `${head} ${flag.label}`
}

function flagText(flag: Flag<unknown>): string {
  return flag.shownDefault === undefined ? flag.usage : `${flag.usage} (default ${flag.shownDefault})`
}

function wrap(text: string, indent: number, columns: number): string {
  let column = indent
  let prefix = ''
  if (columns - column < LEAST_WRAP_WIDTH) {
    column = BLOCK_INDENT
    prefix = `\n${' '.repeat(column)}`
  }
  const width = columns - column - WRAP_SLOP
  if (width + WRAP_SLOP < LEAST_WRAP_WIDTH) return text.replaceAll('\n', prefix)
  const lines: string[] = []
  for (let rest = text; rest !== ''; ) {
    const [line, more] = takeLine(rest, width)
    lines.push(line)
    rest = more
  }
  return prefix + lines.flatMap((line) => line.split('\n')).join(`\n${' '.repeat(column)}`)
}

function takeLine(text: string, width: number): [string, string] {
  if (width + WRAP_SLOP > text.length) return [text, '']
  const head = text.slice(0, width)
  const space = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t'), head.lastIndexOf('\n'))
  if (space <= 0) return [text, '']
  const newline = head.lastIndexOf('\n')
  const at = newline > 0 && newline < space ? newline : space
  return [text.slice(0, at), text.slice(at + 1)]
}

/** The text for a wrong number of arguments, or undefined when the number is right. */
export function argumentComplaint(path: string, command: Command, count: number): string | undefined {
  const { least, most }: ArgumentRule = command.args
  if (count >= least && count <= most) return undefined
  const plural = (n: number) => `${n} argument${n === 1 ? '' : 's'}`
  const complain = (what: string, hint: string) =>
    `docker: 'docker ${path}' ${what}\n\n${usageLine(path, command)}\n\n${hint} 'docker ${path} --help' for more information`
  if (most === 0) return complain('accepts no arguments', 'Run')
  if (least === most) return complain(`requires ${plural(least)}`, 'Run')
  if (most === Number.POSITIVE_INFINITY) return complain(`requires at least ${plural(least)}`, 'See')
  // Docker prints the misspelt word; scripts that compare outputs see the same.
  if (least === 0) return complain(`requires at most ${plural(most)}`, 'SRun')
  return complain(`requires at least ${least} and at most ${plural(most)}`, 'Run')
}
