/** Reads a line from the terminal without showing it. */
import type { Cli } from '../cli.ts'

const ENTER = [10, 13]
const CTRL_C = 3
const CTRL_D = 4
const ERASE = [8, 127]
const INTERRUPTED_EXIT_CODE = 130

export async function readHidden(cli: Cli, prompt: string): Promise<string> {
  cli.out(prompt)
  const typed: number[] = []
  process.stdin.setRawMode(true)
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      for (const byte of chunk) {
        if (ENTER.includes(byte) || byte === CTRL_D) return Buffer.from(typed).toString()
        if (byte === CTRL_C) process.exit(INTERRUPTED_EXIT_CODE)
        if (ERASE.includes(byte)) typed.pop()
        else typed.push(byte)
      }
    }
    return Buffer.from(typed).toString()
  } finally {
    if (!process.stdin.destroyed) process.stdin.setRawMode(false)
    cli.out('\n')
  }
}
