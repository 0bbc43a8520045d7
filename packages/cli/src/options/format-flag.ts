/** `--format`, explained the same way everywhere. */
import { type Flag, string } from './flags.ts'

const JSON_LINES = "'json':             As JSON\n'TEMPLATE':         By a Go template"
const TABLE_LINES =
  "'table':            As a table with a heading (default)\n'table TEMPLATE':   As a table, by a Go template\n"

export function formatFlag(short: string, table: boolean): Flag<string> {
  return string(short, `How to print:\n${table ? TABLE_LINES : ''}${JSON_LINES}`)
}
