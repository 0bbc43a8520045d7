/** One adapter per API version that changed something, oldest first. */

/** Takes an answer from the version that introduced the change to the one before. Must not change its argument. */
export type ResponseAdapter = (value: unknown) => unknown
/** Takes a request of the version before to the version that introduced the change, in place. */
export type RequestAdapter = (request: { query: Record<string, unknown>; body: unknown }) => void

export interface VersionStep {
  /** The version that introduced the change. */
  readonly version: `1.${number}`
  readonly responses?: Readonly<Record<string, ResponseAdapter>>
  readonly requests?: Readonly<Record<string, RequestAdapter>>
}

export const versionSteps: readonly VersionStep[] = []
