/** The daemon's log on stderr: dockerd's key=value text, or pino's JSON lines with --log-format=json. */
import { type Logger, pino } from 'pino'

export type { Logger }

const levels: Record<number, string> = { 20: 'debug', 30: 'info', 40: 'warning', 50: 'error', 60: 'fatal' }

function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text)
}

/** `time="…" level=info msg="…" key=value`, as logrus writes it for dockerd. */
export function formatTextLine(line: string): string {
  const { time, level, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown>
  const fields = [
    `time=${JSON.stringify(new Date(Number(time)).toISOString())}`,
    `level=${levels[Number(level)] ?? level}`,
    `msg=${JSON.stringify(msg ?? '')}`,
  ]
  for (const [key, value] of Object.entries(rest)) fields.push(`${key}=${quote(value)}`)
  if (err) {
    const { message, stack } = err as { message?: string; stack?: string }
    fields.push(`error=${JSON.stringify(message ?? '')}`)
    if (stack) fields.push(`stack=${JSON.stringify(stack)}`)
  }
  return `${fields.join(' ')}\n`
}

export function createLogger({ level, format }: { level: string; format: 'text' | 'json' }): Logger {
  const options = { level, base: null }
  if (format === 'json') return pino(options, pino.destination({ fd: 2, sync: true }))
  return pino(options, { write: (line: string) => process.stderr.write(formatTextLine(line)) })
}
