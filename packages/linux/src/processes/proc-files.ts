/** Small readers of /proc: a process's start, its seccomp state, the counters of its network namespace, processor time. */
import { readdirSync, readFileSync } from 'node:fs'
import type { NetworkCounters } from '@dockerd-ts/core'

/**
 * Field 22 of /proc/<pid>/stat, in clock ticks since boot: with the boot id it tells a process from a later one with the
 * same pid. undefined when there is no such process.
 */
export function processStartTimeTicks(pid: number): number | undefined {
  const text = readIfThere(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  // The command's name stands in parentheses and may contain anything, also blanks and parentheses.
  const afterName = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(afterName[19])
  return Number.isFinite(ticks) ? ticks : undefined
}

export interface SeccompState {
  /** 0 off, 1 strict, 2 filter. */
  mode: number
  filters: number
}

/** From /proc/<pid>/status. undefined when there is no such process. */
export function processSeccomp(pid: number): SeccompState | undefined {
  const text = readIfThere(`/proc/${pid}/status`)
  if (text === undefined) return undefined
  const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return { mode: field('Seccomp'), filters: field('Seccomp_filters') }
}

/** Counters per interface without lo, as the process's network namespace sees them. Empty when the process is gone. */
export function networkCounters(pid: number): Record<string, NetworkCounters> {
  const text = readIfThere(`/proc/${pid}/net/dev`)
  return text === undefined ? {} : parseNetDev(text)
}

export function parseNetDev(text: string): Record<string, NetworkCounters> {
  const counters: Record<string, NetworkCounters> = {}
  for (const line of text.split('\n').slice(2)) {
    const separator = line.indexOf(':')
    const name = line.slice(0, separator).trim()
    if (separator < 0 || name === 'lo') continue
    const [rxBytes, rxPackets, rxErrors, rxDropped, , , , , txBytes, txPackets, txErrors, txDropped] = line
      .slice(separator + 1)
      .trim()
      .split(/\s+/)
      .map(Number)
    counters[name] = {
      rxBytes: rxBytes ?? 0,
      rxPackets: rxPackets ?? 0,
      rxErrors: rxErrors ?? 0,
      rxDropped: rxDropped ?? 0,
      txBytes: txBytes ?? 0,
      txPackets: txPackets ?? 0,
      txErrors: txErrors ?? 0,
      txDropped: txDropped ?? 0,
    }
  }
  return counters
}

/** USER_HZ, which is 100 on every architecture that Linux serves today. */
export const clockTicksPerSecond = 100
const nanosecondsPerTick = 1e9 / clockTicksPerSecond

/** All processors' time since boot, idle time included, in nanoseconds: what clients divide a container's time by. */
export function systemCpuNs(): { totalNs: number; onlineCpus: number } {
  return parseProcStat(readFileSync('/proc/stat', 'utf8'))
}

export function parseProcStat(text: string): { totalNs: number; onlineCpus: number } {
  const lines = text.split('\n')
  // Guest time is counted in user time already: the first eight fields are the whole.
  const fields = (lines[0] ?? '').split(/\s+/).slice(1, 9).map(Number)
  const totalNs = fields.reduce((sum, ticks) => sum + ticks, 0) * nanosecondsPerTick
  return { totalNs, onlineCpus: lines.filter((line) => /^cpu\d/.test(line)).length }
}

export function openFileDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // ESRCH: it ended between open and read.
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EINVAL') return undefined
    throw error
  }
}
