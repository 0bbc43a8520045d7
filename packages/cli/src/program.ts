/** Finds the command, parses its flags, runs it, and turns errors into Docker's exit codes. */
import { isatty } from 'node:tty'
import { Cli } from './cli.ts'
import type { Command } from './command.ts'
import { findCommand, type Group } from './commands/tree.ts'
import { ExitError, messageOf } from './exit-error.ts'
import { FlagError, HelpRequested, parseFlags } from './options/flags.ts'
import { type GlobalFlags, globalFlags } from './options/global-flags.ts'
import { STDERR, STDOUT, writeFully } from './terminal/write.ts'
import { argumentComplaint, usageLine } from './usage.ts'

async function main(argv: string[]): Promise<number> {
  let globals: GlobalFlags
  let words: string[]
  try {
    const parsed = parseFlags(globalFlags, argv, false)
    globals = parsed.values
    words = parsed.args
  } catch (error) {
    return usageFailure(error, '', 'Usage:  docker [OPTIONS] COMMAND [ARG...]')
  }
  if (globals.version) {
    const { programVersion } = await import('./version.ts')
    writeFully(STDOUT, `Docker version ${programVersion}, build dockerd-ts\n`)
    return 0
  }
  if (words[0] === 'help') {
    const topic = findCommand(words.slice(1))
    if (topic.rest.length > 0) {
      writeFully(STDERR, `unknown help topic: ${words.slice(1).join(' ')}\n`)
      return 1
    }
    return topic.leaf ? showHelp(topic.path, await topic.leaf.load()) : showGroupHelp(topic.group, topic.path)
  }
  const found = findCommand(words)
  if (!found.leaf) return runGroup(found.group, found.path, found.rest)
  return runCommand(new Cli(globals), found.path, await found.leaf.load(), found.rest)
}

async function runCommand(cli: Cli, path: string, command: Command, words: string[]): Promise<number> {
  try {
    const { values, args, given } = parseFlags(command.flags, words, command.interspersed ?? true)
    const complaint = argumentComplaint(path, command, args.length)
    if (complaint !== undefined) throw new ExitError(1, complaint)
    await command.run({ cli, args, flags: values, given: (name) => given.has(name) })
    return 0
  } catch (error) {
    if (error instanceof HelpRequested) {
      if (error.deprecatedShort) writeFully(STDERR, 'Flag shorthand -h has been deprecated, use --help\n')
      return showHelp(path, command)
    }
    if (error instanceof FlagError) return usageFailure(error, path, usageLine(path, command))
    const code = error instanceof ExitError ? error.code : 1
    const message = messageOf(error)
    if (message !== '') writeFully(STDERR, `${message}\n`)
    if (process.env.DOCKER_TS_DEBUG && !(error instanceof ExitError)) writeFully(STDERR, `${(error as Error).stack}\n`)
    return code
  }
}

async function runGroup(group: Group, path: string, rest: string[]): Promise<number> {
  try {
    const { args } = parseFlags({}, rest, false)
    // Nothing was asked for, so this is not what the output was meant to be.
    if (args.length === 0) return showGroupHelp(group, path, STDERR)
    const full = ['docker', path, args[0]].filter(Boolean).join(' ')
    const usage = path === '' ? '' : `Usage:  docker ${path}\n\n`
    const help = ['docker', path, '--help'].filter(Boolean).join(' ')
    writeFully(STDERR, `docker: unknown command: ${full}\n\n${usage}Run '${help}' for more information\n`)
    return 1
  } catch (error) {
    if (error instanceof HelpRequested) return showGroupHelp(group, path)
    return usageFailure(error, path, `Usage:  docker ${path}`)
  }
}

async function usageFailure(error: unknown, path: string, usage: string): Promise<number> {
  if (error instanceof HelpRequested) return showGroupHelp(findCommand([]).group, '')
  if (!(error instanceof FlagError)) throw error
  const help = ['docker', path, '--help'].filter(Boolean).join(' ')
  writeFully(STDERR, `${error.message}\n\n${usage}\n\nRun '${help}' for more information\n`)
  return 125
}

async function showHelp(path: string, command: Command): Promise<number> {
  const { helpText } = await import('./usage.ts')
  writeFully(STDOUT, helpText(path, command, terminalColumns()))
  return 0
}

async function showGroupHelp(group: Group, path: string, output = STDOUT): Promise<number> {
  const { groupHelp } = await import('./group-help.ts')
  writeFully(output, groupHelp(group, path, terminalColumns()))
  return 0
}

const PLAIN_COLUMNS = 80

/** The width to wrap help at: that of the terminal, if there is one. */
function terminalColumns(): number {
  return isatty(STDOUT) ? (process.stdout.columns ?? PLAIN_COLUMNS) : PLAIN_COLUMNS
}

void main(process.argv.slice(2)).then((code) => process.exit(code))
