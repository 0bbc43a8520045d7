/** Signals by name and number, as Docker reads them: with or without SIG, any case, numbers, RTMIN+n. */
import { constants } from 'node:os'

/** Names that Node's table (the C library's) lacks or that are Linux's own. */
const extra: Readonly<Record<string, number>> = { SIGCLD: 17, SIGSTKFLT: 16, SIGPOLL: 29, SIGUNUSED: 31 }
const RTMIN = 34
const RTMAX = 64

/** undefined: no such signal. 0 and numbers above 64 are none. */
export function parseSignal(text: string): number | undefined {
  if (/^\+?\d+$/.test(text)) {
    const number = Number(text)
    return number >= 1 && number <= RTMAX ? number : undefined
  }
  const name = text.toUpperCase().startsWith('SIG') ? text.toUpperCase() : `SIG${text.toUpperCase()}`
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name)
  if (realTime !== null) {
    const offset = Number(realTime[3] ?? 0)
    const number = realTime[1] === 'MIN' ? RTMIN + offset : RTMAX - offset
    const sign = realTime[1] === 'MIN' ? '+' : '-'
    const valid = (realTime[2] === undefined || realTime[2] === sign) && number >= RTMIN && number <= RTMAX
    return valid ? number : undefined
  }
  return (constants.signals as Readonly<Record<string, number>>)[name] ?? extra[name]
}

/** `SIGTERM`; real-time ones as `SIGRTMIN+n`. */
export function signalName(signal: number): string {
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0]
  return name ?? (signal >= RTMIN && signal <= RTMAX ? `SIGRTMIN+${signal - RTMIN}` : `signal ${signal}`)
}

export const SIGKILL = 9
export const SIGTERM = 15
