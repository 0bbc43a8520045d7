/** One request and its route, however it arrived: parsed, checked, handed to the handler. */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { InvalidRequest, versionProblem } from '@dockerd-ts/api'
import { type ErrorReply, errorReply } from './error-reply.ts'
import { runSession, type SessionStart } from './hijack.ts'
import type { Reply, SessionReply } from './replies.ts'
import type { RequestContext } from './request-context.ts'
import { parseInput, type RawRequest, type Route } from './route.ts'

export type OperationContext = RequestContext & { kind: 'operation' }

export interface ExchangeOptions {
  /** On every reply. */
  readonly headers: Readonly<Record<string, string>>
  /** Failures that no client sees, or that are our own fault. */
  readonly logError: (error: unknown, context: OperationContext) => void
  /** Called once per request, when its handler has answered or failed. */
  readonly logCall: (call: Call) => void
  /** Called with each connection that leaves the HTTP server. */
  readonly onHijack: (socket: Socket) => void
}

export interface Call {
  readonly operation: string
  /** API version. */
  readonly version: string
  /** The User-Agent header. */
  readonly client: string | undefined
  /** Why it was refused. */
  readonly refused?: string
}

/** What came of parsing and handling: an answer, or an error and whether the handler threw it. */
export type Outcome = { reply: Reply<unknown> } | { error: unknown; handled: boolean }

export class Exchange {
  readonly route: Route
  readonly context: OperationContext
  readonly options: ExchangeOptions

  constructor(route: Route, context: OperationContext, options: ExchangeOptions) {
    this.route = route
    this.context = context
    this.options = options
  }

  async handle(raw: RawRequest): Promise<Outcome> {
    const outcome = await this.#outcome(raw)
    this.options.logCall({
      operation: this.route.endpoint.operation,
      version: this.context.version,
      client: raw.headers['user-agent'],
      ...('error' in outcome ? { refused: String((outcome.error as Error)?.message ?? outcome.error) } : {}),
    })
    return outcome
  }

  async #outcome(raw: RawRequest): Promise<Outcome> {
    let handled = false
    try {
      const problem = versionProblem(this.context.version)
      if (problem !== undefined) throw new InvalidRequest(problem)
      const input = await parseInput(this.route.endpoint, this.context, raw)
      handled = true
      return { reply: await this.route.handle(input) }
    } catch (error) {
      return { error, handled }
    }
  }

  /** The error as an answer; one that was not thrown on purpose is logged. */
  errorReply(error: unknown): ErrorReply {
    const reply = errorReply(error)
    if (reply.unexpected) this.options.logError(error, this.context)
    return reply
  }

  /** True: the error belongs on the hijacked connection, as plain text. */
  isHijackedError({ handled }: { handled: boolean }): boolean {
    return handled && this.route.endpoint.hijackedErrors === true
  }

  /** Ends a session that no client joins. */
  async abandonSession({ session }: SessionReply): Promise<void> {
    const nobody = new Duplex({
      read() {
        this.push(null)
      },
      write: (_chunk, _encoding, done) => done(),
    })
    await session.run(nobody, AbortSignal.abort())
  }

  /** Runs the session to its end; a failure is logged. */
  async runSession({ session }: SessionReply, start: Omit<SessionStart, 'version' | 'headers'>): Promise<void> {
    const { headers } = this.options
    const { version } = this.context
    await runSession(session, { ...start, version, headers }).catch((error: unknown) =>
      this.options.logError(error, this.context),
    )
  }
}
