/** Finds the reason of a failed start in what the OCI runtime wrote: JSON lines of crun or runc, or plain text. Pure. */

/** The last error's message as the runtime gives it, without a line's end; never empty. */
export function lastRuntimeError(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  const errors = lines.flatMap((line) => {
    const record = parseRecord(line)
    return record && isError(record.level) ? [record.msg] : []
  })
  const plain = lines.filter((line) => !parseRecord(line))
  return (errors.at(-1) ?? plain.at(-1) ?? 'the OCI runtime failed without a message').trim()
}

function isError(level: string | undefined): boolean {
  return level === undefined || ['error', 'fatal', 'panic'].includes(level)
}

function parseRecord(line: string): { level: string | undefined; msg: string } | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown }
    if (typeof msg !== 'string' || msg === '') return undefined
    return { level: typeof level === 'string' ? level : undefined, msg }
  } catch {
    return undefined
  }
}
