/** One case on one line: what is promised, the script that shows it, its input. */
import type { CliCase } from '../compare.ts'

export const same = (name: string, script: string, extra: Partial<CliCase> = {}): CliCase => ({
  name,
  script,
  ...extra,
})
