/**
 * What a recipe has done so far, to be taken back in reverse when a later step fails. Every undo is idempotent; one
 * that fails does not stop the others.
 */

export class UndoStack {
  readonly #steps: { name: string; undo: () => unknown }[] = []

  push(name: string, undo: () => unknown): void {
    this.#steps.push({ name, undo })
  }

  /** Unwinds everything and answers what went wrong on the way, each named by its step. */
  async unwind(): Promise<Error[]> {
    const errors: Error[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo()
      } catch (error) {
        errors.push(new Error(`undo ${step.name}: ${errorMessage(error)}`, { cause: error }))
      }
    }
    return errors
  }

  /** The recipe has succeeded: nothing is taken back any more. */
  keep(): void {
    this.#steps.length = 0
  }
}

export const errorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error))
