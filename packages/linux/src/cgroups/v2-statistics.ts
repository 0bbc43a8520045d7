/** Statistics of a container on cgroup v2. https://docs.kernel.org/admin-guide/cgroup-v2.html */
import { posix } from 'node:path'
import type { BlkioEntry, CgroupStatistics } from '@dockerd-ts/core'
import { parseKeyed, readGroupFile, readGroupNumber } from './group-files.ts'

/** `directory` is the group itself. */
export async function v2Statistics(directory: string, hostMemoryBytes: number): Promise<CgroupStatistics> {
  const file = (name: string) => posix.join(directory, name)
  const [cpu, memory, current, limit, io] = await Promise.all([
    readGroupFile(file('cpu.stat')),
    memoryStatistics(file, hostMemoryBytes),
    readGroupNumber(file('pids.current')),
    readGroupNumber(file('pids.max')),
    readGroupFile(file('io.stat')),
  ])
  return {
    cpu: cpuStatistics(cpu),
    memory,
    pids: { current: current ?? 0, ...(limit !== undefined && { limit }) },
    // Docker shows no operation counts on v2.
    blkio: { serviceBytes: parseIoStat(io ?? ''), serviced: [] },
  }
}

const nanosecondsPerMicrosecond = 1000

function cpuStatistics(text: string | undefined): CgroupStatistics['cpu'] {
  const values = parseKeyed(text)
  return {
    totalNs: (values.usage_usec ?? 0) * nanosecondsPerMicrosecond,
    userNs: (values.user_usec ?? 0) * nanosecondsPerMicrosecond,
    systemNs: (values.system_usec ?? 0) * nanosecondsPerMicrosecond,
    periods: values.nr_periods ?? 0,
    throttledPeriods: values.nr_throttled ?? 0,
    throttledNs: (values.throttled_usec ?? 0) * nanosecondsPerMicrosecond,
  }
}

/** What Docker shows of memory.stat. */
const shownMemoryFields = new Set([
  ...['anon', 'file', 'kernel_stack', 'slab', 'sock', 'shmem', 'file_mapped', 'file_dirty', 'file_writeback'],
  ...['anon_thp', 'inactive_anon', 'active_anon', 'inactive_file', 'active_file', 'unevictable'],
  ...['slab_reclaimable', 'slab_unreclaimable', 'pgfault', 'pgmajfault', 'workingset_refault'],
  ...['workingset_activate', 'workingset_nodereclaim', 'pgrefill', 'pgscan', 'pgsteal', 'pgactivate'],
  ...['pgdeactivate', 'pglazyfree', 'pglazyfreed', 'thp_fault_alloc', 'thp_collapse_alloc'],
])

async function memoryStatistics(
  file: (name: string) => string,
  hostMemoryBytes: number,
): Promise<CgroupStatistics['memory']> {
  const [usage, limit, detail, events] = await Promise.all([
    readGroupNumber(file('memory.current')),
    readGroupNumber(file('memory.max')),
    readGroupFile(file('memory.stat')),
    readGroupFile(file('memory.events')),
  ])
  const { oom } = parseKeyed(events)
  const stats = Object.entries(parseKeyed(detail)).filter(([name]) => shownMemoryFields.has(name))
  return {
    usageBytes: usage ?? 0,
    limitBytes: Math.min(limit ?? hostMemoryBytes, hostMemoryBytes),
    ...(oom && { failcnt: oom }),
    stats: Object.fromEntries(stats),
  }
}

/** Lines `8:0 rbytes=1 wbytes=2 rios=3 …`. */
export function parseIoStat(text: string): BlkioEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) (.*)$/gm)].flatMap(([, major, minor, fields = '']) => {
    const values = Object.fromEntries(fields.split(' ').map((field) => field.split('=')))
    const entry = (op: string, value: string | undefined) =>
      value === undefined ? [] : [{ major: Number(major), minor: Number(minor), op, value: Number(value) }]
    return [...entry('read', values.rbytes), ...entry('write', values.wbytes)]
  })
}
