/** What the engine says it is. */
export const ENGINE_VERSION = '0.1.0'
export const API_VERSION = '1.55'
export const MIN_API_VERSION = '1.24'
