/** What the engine says it is. */

/** Put in by scripts/bundle.ts; a daemon that runs from its sources was not built. */
declare const DOCKERD_TS_BUILD: { commit: string; time: string } | undefined

const build = typeof DOCKERD_TS_BUILD === 'undefined' ? undefined : DOCKERD_TS_BUILD

export const GIT_COMMIT = build?.commit ?? 'unknown'
/** RFC 3339, or `unknown`. */
export const BUILD_TIME = build?.time ?? 'unknown'

export const ENGINE_VERSION = '0.1.0'
export const API_VERSION = '1.55'
export const MIN_API_VERSION = '1.24'
