/** What a metric is. */
import type { Client } from './client.ts'

export type Better = 'lower' | 'higher'
export interface Figure {
  unit: string
  better: Better
  /** What the figure is, for the table. */
  title: string
}

export interface Metric {
  name: string
  figures: Record<string, Figure>
  /** Runs per engine, as a share of --runs. */
  runs?: (runs: number) => number
  setUp?: (client: Client, state: State) => Promise<void>
  run: (client: Client, state: State) => Promise<Record<string, number>>
  /** After all runs of all engines: what they left on purpose goes. */
  tearDown?: (client: Client) => Promise<void>
}

/** Kept per engine and metric between set-up and runs. */
export interface State {
  daemonPids: readonly number[]
  id?: string
  /** Socket of the probe in our own daemon. */
  probePath?: string
}

export const lower = (title: string, unit = 'ms'): Figure => ({ title, unit, better: 'lower' })
export const higher = (title: string, unit = 'MB/s'): Figure => ({ title, unit, better: 'higher' })
