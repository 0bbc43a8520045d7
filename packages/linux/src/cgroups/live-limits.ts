/**
 * Limits of a running container: from the API's names to the values of cgroup files (v1 and v2) and of systemd's unit
 * properties. The conversions are those of runc and crun, so that an update and a start give the same values.
 */

/** Named as in the API's Resources; what is undefined stays as it is. */
export type LiveLimits = Readonly<Record<string, number | string | undefined>>

export interface NormalLimits {
  memory?: number
  memorySwap?: number
  memoryReservation?: number
  cpuShares?: number
  cpuPeriod?: number
  cpuQuota?: number
  realtimePeriod?: number
  realtimeRuntime?: number
  cpusetCpus?: string
  cpusetMems?: string
  pids?: number
  blkioWeight?: number
}

/** The scheduling period in which `NanoCpus` is counted, in microseconds. */
const nanoCpusPeriodMicros = 100_000

export function normalLimits(limits: LiveLimits): NormalLimits {
  const number = (name: string) => (typeof limits[name] === 'number' ? limits[name] : undefined)
  const text = (name: string) => (typeof limits[name] === 'string' ? limits[name] : undefined)
  const nanoCpus = number('NanoCpus')
  const values: { [K in keyof NormalLimits]: NormalLimits[K] | undefined } = {
    memory: number('Memory'),
    memorySwap: number('MemorySwap'),
    memoryReservation: number('MemoryReservation'),
    cpuShares: number('CpuShares'),
    cpuPeriod: nanoCpus === undefined ? number('CpuPeriod') : nanoCpusPeriodMicros,
    cpuQuota: nanoCpus === undefined ? number('CpuQuota') : Math.trunc((nanoCpus * nanoCpusPeriodMicros) / 1e9),
    realtimePeriod: number('CpuRealtimePeriod'),
    realtimeRuntime: number('CpuRealtimeRuntime'),
    cpusetCpus: text('CpusetCpus'),
    cpusetMems: text('CpusetMems'),
    pids: number('PidsLimit'),
    blkioWeight: number('BlkioWeight'),
  }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** v1 shares 2…262144 → v2 weight 1…10000. */
export function sharesToWeight(shares: number): number {
  const bounded = Math.min(Math.max(shares, 2), 262_144)
  return 1 + Math.trunc(((bounded - 2) * 9999) / 262_142)
}

/** v1 blkio weight 10…1000 → v2 io.weight 1…10000. */
export function blkioToIoWeight(weight: number): number {
  return 1 + Math.trunc(((weight - 10) * 9999) / 990)
}

const unlimited = (value: number): string => (value < 0 ? 'max' : String(value))

/** A limit of no processes at all is none. */
const pidsOrNone = (value: number): number => (value > 0 ? value : -1)

/** What v2 has now, for values that are written together. */
export interface CurrentV2 {
  /** `memory.max`; undefined is no limit. */
  memory?: number
  /** `cpu.max`: quota (undefined is none) and period. */
  cpuQuota?: number
  cpuPeriod?: number
  /** io.bfq.weight exists; it takes v1's values as they are. */
  bfq: boolean
}

/** File → value, in the order to write. */
export function v2Writes(limits: NormalLimits, current: CurrentV2): [string, string][] {
  const writes: [string, string][] = []
  const memory = limits.memory ?? current.memory
  if (limits.memorySwap !== undefined) {
    // v2 counts swap by itself, the API memory and swap together.
    const swap = limits.memorySwap < 0 || memory === undefined ? -1 : Math.max(limits.memorySwap - memory, 0)
    writes.push(['memory.swap.max', unlimited(swap)])
  }
  if (limits.memory !== undefined) writes.push(['memory.max', unlimited(limits.memory)])
  if (limits.memoryReservation !== undefined) writes.push(['memory.low', unlimited(limits.memoryReservation)])
  if (limits.cpuShares !== undefined) writes.push(['cpu.weight', String(sharesToWeight(limits.cpuShares))])
  if (limits.cpuQuota !== undefined || limits.cpuPeriod !== undefined) {
    const quota = limits.cpuQuota ?? current.cpuQuota ?? -1
    const period = limits.cpuPeriod ?? current.cpuPeriod ?? nanoCpusPeriodMicros
    writes.push(['cpu.max', `${unlimited(quota)} ${period}`])
  }
  if (limits.cpusetCpus !== undefined) writes.push(['cpuset.cpus', limits.cpusetCpus])
  if (limits.cpusetMems !== undefined) writes.push(['cpuset.mems', limits.cpusetMems])
  if (limits.pids !== undefined) writes.push(['pids.max', unlimited(pidsOrNone(limits.pids))])
  if (limits.blkioWeight !== undefined) {
    if (current.bfq) writes.push(['io.bfq.weight', String(limits.blkioWeight)])
    else writes.push(['io.weight', `default ${blkioToIoWeight(limits.blkioWeight)}`])
  }
  return writes
}

export interface V1Write {
  controller: string
  file: string
  value: string
}

/** What v1 has now: the order of two limits that bound each other depends on it. */
export interface CurrentV1 {
  /** memory.memsw.limit_in_bytes; undefined where swap is not counted. */
  memorySwap?: number
}

export function v1Writes(limits: NormalLimits, current: CurrentV1): V1Write[] {
  const write = (controller: string, file: string, value: number | string | undefined): V1Write[] =>
    value === undefined ? [] : [{ controller, file: `${controller}.${file}`, value: String(value) }]
  const memory = write('memory', 'limit_in_bytes', limits.memory)
  // The file knows -1 alone for no limit.
  const swap = write('memory', 'memsw.limit_in_bytes', limits.memorySwap && Math.max(limits.memorySwap, -1))
  // memory may never be above memory and swap: grow the outer one first, shrink it last.
  const swapFirst =
    limits.memorySwap !== undefined &&
    limits.memory !== undefined &&
    (limits.memorySwap < 0 || (current.memorySwap !== undefined && current.memorySwap < limits.memory))
  return [
    ...(swapFirst ? [...swap, ...memory] : [...memory, ...swap]),
    ...write('memory', 'soft_limit_in_bytes', limits.memoryReservation),
    ...write('cpu', 'shares', limits.cpuShares),
    ...write('cpu', 'cfs_period_us', limits.cpuPeriod),
    ...write('cpu', 'cfs_quota_us', limits.cpuQuota),
    ...write('cpu', 'rt_period_us', limits.realtimePeriod),
    ...write('cpu', 'rt_runtime_us', limits.realtimeRuntime),
    ...write('cpuset', 'cpus', limits.cpusetCpus),
    ...write('cpuset', 'mems', limits.cpusetMems),
    ...(limits.pids === undefined ? [] : write('pids', 'max', unlimited(pidsOrNone(limits.pids)))),
    ...write('blkio', 'weight', limits.blkioWeight),
  ]
}

/**
 * systemd's names for the same, so that it does not put its own values back at its next reload.
 * https://www.freedesktop.org/software/systemd/man/systemd.resource-control.html
 */
export function systemdProperties(limits: NormalLimits, version: '1' | '2'): string[] {
  const infinite = (value: number) => (value < 0 ? 'infinity' : String(value))
  const properties: string[] = []
  if (limits.memory !== undefined) {
    properties.push(`${version === '2' ? 'MemoryMax' : 'MemoryLimit'}=${infinite(limits.memory)}`)
  }
  if (version === '2') {
    if (limits.memorySwap !== undefined && limits.memory !== undefined) {
      const swap = limits.memorySwap < 0 ? -1 : Math.max(limits.memorySwap - limits.memory, 0)
      properties.push(`MemorySwapMax=${infinite(swap)}`)
    }
    if (limits.memoryReservation !== undefined) properties.push(`MemoryLow=${infinite(limits.memoryReservation)}`)
    if (limits.cpuShares !== undefined) properties.push(`CPUWeight=${sharesToWeight(limits.cpuShares)}`)
    if (limits.cpusetCpus !== undefined) properties.push(`AllowedCPUs=${limits.cpusetCpus}`)
    if (limits.cpusetMems !== undefined) properties.push(`AllowedMemoryNodes=${limits.cpusetMems}`)
  } else if (limits.cpuShares !== undefined) {
    properties.push(`CPUShares=${limits.cpuShares}`)
  }
  if (limits.cpuQuota !== undefined) {
    const percent = (limits.cpuQuota / (limits.cpuPeriod ?? nanoCpusPeriodMicros)) * 100
    properties.push(`CPUQuota=${limits.cpuQuota < 0 ? '' : `${Math.max(Math.round(percent), 1)}%`}`)
  }
  if (limits.pids !== undefined) properties.push(`TasksMax=${infinite(pidsOrNone(limits.pids))}`)
  return properties
}
