/** Messages that are not the command's own error: one line each, in the form of Docker's client. */
import { isatty } from 'node:tty'
import { STDERR, writeFully } from './write.ts'

export function logError(message: string): void {
  const seconds = String(Math.trunc(process.uptime())).padStart(4, '0')
  const time = `${new Date().toISOString().slice(0, 19)}Z`
  const line = isatty(STDERR)
    ? `\x1b[31mERRO\x1b[0m[${seconds}] ${message}`
    : `time="${time}" level=error msg=${JSON.stringify(message)}`
  writeFully(STDERR, `${line}\n`)
}
