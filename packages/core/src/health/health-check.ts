/** What a container's health check asks for, with Docker's defaults where nothing was said. Pure. */
import type * as wire from '@dockerd-ts/api'

export interface HealthCheck {
  /** Program and arguments; with a shell in front where the check is a line of shell. */
  command: string[]
  intervalMs: number
  /** Counted from when the probe's process runs. */
  timeoutMs: number
  /** Failures within this time after the start of the container do not count while it is still starting. */
  startPeriodMs: number
  /** Between probes within the start period, while the container is still starting. */
  startIntervalMs: number
  /** Failures in a row that make it unhealthy. */
  retries: number
}

const defaults = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 5_000, retries: 3 }

/** undefined: none configured, or `NONE`, or of a kind that Docker ignores too. */
export function healthCheckOf(config: wire.ContainerConfig): HealthCheck | undefined {
  const [kind, ...words] = config.Healthcheck?.Test ?? []
  if (kind !== 'CMD' && kind !== 'CMD-SHELL') return undefined
  const { Interval, Timeout, StartPeriod, StartInterval, Retries } = config.Healthcheck ?? {}
  const shell = config.Shell?.length ? config.Shell : ['/bin/sh', '-c']
  return {
    command: kind === 'CMD' ? words : [...shell, ...words],
    intervalMs: milliseconds(Interval, defaults.intervalMs),
    timeoutMs: milliseconds(Timeout, defaults.timeoutMs),
    startPeriodMs: milliseconds(StartPeriod, defaults.startPeriodMs),
    startIntervalMs: milliseconds(StartInterval, defaults.startIntervalMs),
    retries: Retries && Retries > 0 ? Retries : defaults.retries,
  }
}

/** Nanoseconds on the wire; 0 is "not said". */
const milliseconds = (nanoseconds: number | undefined, otherwise: number): number =>
  nanoseconds ? nanoseconds / 1e6 : otherwise
