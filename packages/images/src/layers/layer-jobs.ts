/**
 * Jobs of the layer program, run by one small process that is kept: starting a program from the daemon itself would stop
 * its event loop while its page tables are copied. PROTOCOL.md of the program's layer part has the lines they exchange.
 */
import { createInterface } from 'node:readline'
import { internal } from '@dockerd-ts/core'
import { type StreamingCommand, streamCommand } from '@dockerd-ts/linux'

export interface LayerJob {
  /** Mode, options, directory, and for `unpack` the file to read. */
  argv: readonly string[]
  /** Bytes read so far. */
  onBytes?: ((total: number) => void) | undefined
  signal?: AbortSignal | undefined
}

export interface JobResult {
  exitCode: number
  /** The last line of JSON. */
  output: string
  errors: string
}

interface Running {
  job: LayerJob
  output: string
  errors: string
  resolve: (result: JobResult) => void
  reject: (error: unknown) => void
}

const maxErrorBytes = 16 * 1024

export class LayerJobs {
  readonly #program: string
  #server: StreamingCommand | undefined
  readonly #running = new Map<string, Running>()
  #last = 0

  constructor(program: string) {
    this.#program = program
  }

  /** Starts the process while the daemon is small; otherwise the first job does. */
  start(): StreamingCommand {
    if (this.#server !== undefined) return this.#server
    const server = streamCommand([this.#program, 'layers'], { stdin: 'pipe', environment: {}, maxErrorBytes })
    this.#server = server
    createInterface(server.stdout).on('line', (line) => this.#read(line))
    server.finished.then(
      ({ exitCode, stderr }) => this.#ended(server, stderr || `the layer process ended with exit code ${exitCode}`),
      (error) => this.#ended(server, String(error.message)),
    )
    return server
  }

  async run(job: LayerJob): Promise<JobResult> {
    const { argv, signal } = job
    signal?.throwIfAborted()
    const id = String(++this.#last)
    const cancel = () => this.#send([id, 'cancel'])
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      const result = await new Promise<JobResult>((resolve, reject) => {
        this.#running.set(id, { job, output: '', errors: '', resolve, reject })
        this.#send([id, ...argv])
      })
      signal?.throwIfAborted()
      return result
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.#running.delete(id)
    }
  }

  #send(fields: readonly string[]): void {
    const bad = fields.find((field) => field === '' || field.includes('\0'))
    if (bad !== undefined) throw internal('a job of the layer program has an argument that cannot be sent')
    this.start().stdin?.write(`${fields.join('\0')}\0\0`)
  }

  #read(line: string): void {
    const [, id = '', kind = '', text = ''] = /^(\d+) (.) ?(.*)$/.exec(line) ?? []
    const running = this.#running.get(id)
    if (running === undefined) return
    if (kind === 'x') running.resolve({ exitCode: Number(text), output: running.output, errors: running.errors })
    else if (/^\d+$/.test(text)) running.job.onBytes?.(Number(text))
    else if (text.startsWith('{')) running.output = text
    else if (running.errors.length < maxErrorBytes) running.errors += running.errors === '' ? text : `\n${text}`
  }

  #ended(server: StreamingCommand, message: string): void {
    if (this.#server !== server) return
    this.#server = undefined
    for (const { reject } of this.#running.values()) reject(internal(message))
  }

  /** Its jobs end with it. */
  async close(): Promise<void> {
    const server = this.#server
    server?.kill()
    await server?.finished.catch(() => {})
  }
}
