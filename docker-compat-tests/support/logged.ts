/** Waits for what a daemon says in its log. */

/** The next line of the log that matches, from a position on. */
export async function logged(daemon: { log(): string }, pattern: RegExp, from = 0): Promise<string> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const line = daemon
      .log()
      .slice(from)
      .split('\n')
      .find((text) => pattern.test(text))
    if (line !== undefined) return line
    if (Date.now() > deadline) throw new Error(`not logged: ${pattern}\n${daemon.log()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
