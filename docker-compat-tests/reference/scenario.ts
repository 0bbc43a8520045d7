/** What is played on both daemons: steps in order, and what came of them. */
export interface Stage {
  socket: string
  /** With the version: `/v1.45`. */
  api: string
  /** Reads the configuration again. */
  reload(): void
}

export interface Scenario {
  name: string
  play(stage: Stage): Promise<unknown>
  /** Why the outcomes differ, where they are meant to. */
  differs?: string
}
