/** The daemon's progress messages: bars that update in place on a terminal, plain lines elsewhere. */
import { isatty } from 'node:tty'
import type { Cli } from '../cli.ts'
import { jsonValues } from '../client/api-client.ts'
import { humanSize } from '../format/units.ts'

export interface ProgressMessage {
  stream?: string
  status?: string
  progress?: string
  id?: string
  time?: number
  timeNano?: number
  progressDetail?: { current?: number; total?: number; start?: number; hidecounts?: boolean; units?: string } | null
  errorDetail?: { code?: number; message?: string } | null
  error?: string
  aux?: unknown
}

const DEFAULT_COLUMNS = 200
const BAR_WIDTH = 50
const NARROW_COLUMNS = 110

export interface ShowOptions {
  /** Print on stderr in place of stdout. */
  stderr?: boolean
  onAux?(aux: unknown): void
}

/** Shows messages until the stream ends. Throws the daemon's error when one is reported. */
export async function showProgress(cli: Cli, body: AsyncIterable<Buffer>, options: ShowOptions = {}): Promise<void> {
  const fd = options.stderr ? 2 : 1
  const print = (text: string) => (options.stderr ? cli.err(text) : cli.out(text))
  const display = isatty(fd)
    ? new TerminalProgress(print, options.stderr ? process.stderr.columns : process.stdout.columns)
    : undefined
  for await (const message of jsonValues<ProgressMessage>(body)) {
    if (message.aux !== undefined && message.aux !== null) {
      options.onAux?.(message.aux)
      continue
    }
    const failure = message.errorDetail?.message ?? message.error
    if (failure !== undefined) throw new Error(failure)
    if (display) display.show(message)
    else print(plainLine(message))
  }
}

/** A bar's updates say nothing in a file: only the messages without progress are printed there. */
function plainLine(message: ProgressMessage): string {
  if (message.progressDetail && Object.keys(message.progressDetail).length > 0 && !message.stream) return ''
  if (message.stream !== undefined) return message.stream
  const prefix = `${timeOf(message)}${message.id ? `${message.id}: ` : ''}`
  return `${prefix}${message.status ?? ''}\n`
}

function timeOf({ time, timeNano }: ProgressMessage): string {
  if (!time && !timeNano) return ''
  const millis = timeNano ? timeNano / 1e6 : (time ?? 0) * 1000
  return `${new Date(millis).toISOString().replace('Z', '000000Z')} `
}

class TerminalProgress {
  readonly #print: (text: string) => void
  readonly #columns: number
  readonly #lines = new Map<string, number>()

  constructor(print: (text: string) => void, columns: number | undefined) {
    this.#print = print
    this.#columns = columns ?? DEFAULT_COLUMNS
  }

  show(message: ProgressMessage): void {
    const bar = progressBar(message, this.#columns)
    if (message.id === undefined || message.id === '' || (bar === '' && !message.progressDetail)) {
      // A line of its own ends the group of lines that can be updated.
      if (!message.id) this.#lines.clear()
    }
    if (!message.id || message.progressDetail === undefined) {
      this.#print(this.#text(message, bar, ''))
      if (!message.id) return
      this.#lines.clear()
      return
    }
    const known = this.#lines.get(message.id)
    let up = 0
    if (known === undefined) {
      this.#lines.set(message.id, this.#lines.size)
      this.#print('\n')
      up = 1
    } else {
      up = this.#lines.size - known
    }
    this.#print(`\x1b[${up}A\x1b[2K\r${this.#text(message, bar, '\r')}\x1b[${up}B`)
  }

  #text(message: ProgressMessage, bar: string, end: string): string {
    if (message.stream !== undefined) return `${message.stream}${end}`
    const head = `${timeOf(message)}${message.id ? `${message.id}: ` : ''}${message.status ?? ''}`
    if (bar !== '') return `${head} ${bar}${end}`
    return end === '' ? `${head}\n` : `${head} ${end}`
  }
}

function progressBar({ progressDetail: detail, progress }: ProgressMessage, columns: number): string {
  if (!detail || ((detail.current ?? 0) <= 0 && (detail.total ?? 0) <= 0)) return progress ?? ''
  const current = detail.current ?? 0
  const total = detail.total ?? 0
  if (total <= 0) return detail.units ? `${current} ${detail.units}` : humanSize(current).padStart(8)
  const percent = Math.min(50, Math.trunc((current / total) * BAR_WIDTH))
  const wide = columns > NARROW_COLUMNS
  const filled = '='.repeat(percent)
  const bar = wide ? `[${percent === BAR_WIDTH ? `${filled}>` : `${filled}>${' '.repeat(BAR_WIDTH - percent)}`}] ` : ''
  if (detail.hidecounts) return `${bar}${timeLeft(detail, percent)}`
  return `${bar}${countsOf(current, total, detail.units)}${wide ? timeLeft(detail, percent) : ''}`
}

function countsOf(current: number, total: number, units: string | undefined): string {
  if (units) return current > total ? `${current} ${units}` : `${current}/${total} ${units}`
  const done = humanSize(current).padStart(8)
  return current > total ? done : `${done}/${humanSize(total)}`
}

function timeLeft(detail: { current?: number; start?: number; total?: number }, percent: number): string {
  const { current = 0, start = 0, total = 0 } = detail
  if (current <= 0 || start <= 0 || percent >= BAR_WIDTH) return ''
  const elapsed = Date.now() / 1000 - start
  const left = Math.trunc(elapsed * ((total - current) / current))
  return ` ${left >= 60 ? `${Math.trunc(left / 60)}m${left % 60}s` : `${left}s`}`
}
