/** The shape of a command: data for the help and the parser, and one function that does the work. */
import type { Cli } from './cli.ts'
import type { FlagSpecs, FlagValues } from './options/flags.ts'

interface Invocation<F extends FlagSpecs> {
  cli: Cli
  args: string[]
  flags: FlagValues<F>
  /** True when the flag stood on the command line, whatever its value. */
  given(name: keyof F & string): boolean
}

export interface ArgumentRule {
  least: number
  most: number
}

export interface Command<F extends FlagSpecs = FlagSpecs> {
  /** What follows the command's name in its usage line; several lines when it has several forms. */
  usage: string | readonly string[]
  /** One line for listings. */
  short: string
  /** The longer text of the command's own help; `short` when absent. */
  long?: string
  /** All full names, as the help lists them. */
  aliases?: readonly string[]
  args: ArgumentRule
  /** False when everything after the first argument belongs to the container's command. */
  interspersed?: boolean
  flags: F
  run(invocation: Invocation<F>): Promise<void>
}

export function defineCommand<const F extends FlagSpecs>(command: Command<F>): Command {
  return command as unknown as Command
}

export const noArguments: ArgumentRule = { least: 0, most: 0 }
export const anyArguments: ArgumentRule = { least: 0, most: Number.POSITIVE_INFINITY }
export const atLeast = (least: number): ArgumentRule => ({ least, most: Number.POSITIVE_INFINITY })
export const atMost = (most: number): ArgumentRule => ({ least: 0, most })
export const exactly = (count: number): ArgumentRule => ({ least: count, most: count })
export const between = (least: number, most: number): ArgumentRule => ({ least, most })
