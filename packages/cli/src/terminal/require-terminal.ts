/** Refuses to give a container a terminal when this program has none to connect it to. */
import { isatty } from 'node:tty'
import { ExitError } from '../exit-error.ts'

export function requireTerminal(stdin: boolean, tty: boolean): void {
  if (stdin && tty && !isatty(0)) throw new ExitError(1, 'the input device is not a TTY')
}
