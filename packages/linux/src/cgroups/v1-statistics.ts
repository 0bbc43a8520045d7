/** Statistics of a container on cgroup v1. https://docs.kernel.org/admin-guide/cgroup-v1/ */
import { posix } from 'node:path'
import type { BlkioEntry, CgroupStatistics } from '@dockerd-ts/core'
import { clockTicksPerSecond } from '../processes/proc-files.ts'
import type { CgroupV1Layout } from './cgroup-layout.ts'
import { parseKeyed, readGroupFile, readGroupNumber } from './group-files.ts'

const nanosecondsPerTick = 1e9 / clockTicksPerSecond

/** `groupPath` is relative to each hierarchy. A controller that the host lacks counts nothing. */
export async function v1Statistics(
  layout: CgroupV1Layout,
  groupPath: string,
  hostMemoryBytes: number,
): Promise<CgroupStatistics> {
  const file = (controller: string, name: string) =>
    posix.join(layout.hierarchies.get(controller) ?? '/nonexistent', groupPath, `${controller}.${name}`)
  const [cpu, memory, pids, serviceBytes, serviced] = await Promise.all([
    cpuStatistics(file),
    memoryStatistics(file, hostMemoryBytes),
    pidsStatistics(file),
    blkioEntries(file, 'throttle.io_service_bytes'),
    blkioEntries(file, 'throttle.io_serviced'),
  ])
  return { cpu, memory, pids, blkio: { serviceBytes, serviced } }
}

type FileOf = (controller: string, name: string) => string

async function cpuStatistics(file: FileOf): Promise<CgroupStatistics['cpu']> {
  const [usage, perCpu, split, scheduling] = await Promise.all([
    readGroupNumber(file('cpuacct', 'usage')),
    readGroupFile(file('cpuacct', 'usage_percpu')),
    readGroupFile(file('cpuacct', 'stat')),
    readGroupFile(file('cpu', 'stat')),
  ])
  const { user = 0, system = 0 } = parseKeyed(split)
  const {
    nr_periods: periods = 0,
    nr_throttled: throttled = 0,
    throttled_time: throttledNs = 0,
  } = parseKeyed(scheduling)
  return {
    totalNs: usage ?? 0,
    userNs: user * nanosecondsPerTick,
    systemNs: system * nanosecondsPerTick,
    ...(perCpu !== undefined && { perCpuNs: perCpu.trim().split(/\s+/).map(Number) }),
    periods,
    throttledPeriods: throttled,
    throttledNs,
  }
}

/** What Docker shows of memory.stat, each with its `total_` twin. */
const memoryFields = [
  ...['active_anon', 'active_file', 'cache', 'dirty', 'inactive_anon', 'inactive_file', 'mapped_file', 'pgfault'],
  ...['pgmajfault', 'pgpgin', 'pgpgout', 'rss', 'rss_huge', 'unevictable', 'writeback'],
]
const shownMemoryFields = new Set([
  ...['hierarchical_memory_limit', 'hierarchical_memsw_limit'],
  ...memoryFields,
  ...memoryFields.map((name) => `total_${name}`),
])

async function memoryStatistics(file: FileOf, hostMemoryBytes: number): Promise<CgroupStatistics['memory']> {
  const [usage, most, limit, failcnt, detail] = await Promise.all([
    readGroupNumber(file('memory', 'usage_in_bytes')),
    readGroupNumber(file('memory', 'max_usage_in_bytes')),
    readGroupNumber(file('memory', 'limit_in_bytes')),
    readGroupNumber(file('memory', 'failcnt')),
    readGroupFile(file('memory', 'stat')),
  ])
  const stats = Object.entries(parseKeyed(detail)).filter(([name]) => shownMemoryFields.has(name))
  return {
    usageBytes: usage ?? 0,
    ...(most !== undefined && { maxUsageBytes: most }),
    // No limit is a number near 2^63 here; clients expect what the host has.
    limitBytes: Math.min(limit ?? hostMemoryBytes, hostMemoryBytes),
    ...(failcnt && { failcnt }),
    stats: Object.fromEntries(stats),
  }
}

async function pidsStatistics(file: FileOf): Promise<CgroupStatistics['pids']> {
  const [current, limit] = await Promise.all([
    readGroupNumber(file('pids', 'current')),
    readGroupNumber(file('pids', 'max')),
  ])
  return { current: current ?? 0, ...(limit !== undefined && { limit }) }
}

/** The recursive file counts groups below too; old kernels have only the plain one. */
async function blkioEntries(file: FileOf, name: string): Promise<BlkioEntry[]> {
  const text = (await readGroupFile(file('blkio', `${name}_recursive`))) ?? (await readGroupFile(file('blkio', name)))
  return parseBlkio(text ?? '')
}

/** Lines `253:0 Read 4096`; the last line is a sum over all devices and has no number pair. */
export function parseBlkio(text: string): BlkioEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(([, major, minor, op = '', value]) => ({
    major: Number(major),
    minor: Number(minor),
    op: op.toLowerCase(),
    value: Number(value),
  }))
}
