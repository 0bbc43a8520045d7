/** 64-bit numbers in JSON documents: JavaScript's own numbers are exact only to 2^53. */
import type { RawJson, Uint64 } from './oci-types.ts'

// Node 24 has JSON.rawJSON and the reviver's context; the compiler's library does not describe them yet.
const json = JSON as typeof JSON & { rawJSON(text: string): RawJson }

/** RLIM_INFINITY and the like: all 64 bits set. */
export const maxUint64: Uint64 = json.rawJSON('18446744073709551615')

/** JSON.parse that keeps the digits of integers it cannot hold; JSON.stringify writes them back. */
export function parseKeepingWideNumbers(text: string): unknown {
  return JSON.parse(text, keepWideNumbers)
}

function keepWideNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || context?.source === undefined) return value
  return json.rawJSON(context.source)
}
