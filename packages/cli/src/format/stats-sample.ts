/** What `stats` computes from the daemon's samples. */

export interface StatsSample {
  id?: string
  name?: string
  read: string
  cpu_stats: CpuStats
  precpu_stats: CpuStats
  memory_stats: { usage?: number; limit?: number; stats?: Record<string, number> | null }
  blkio_stats: { io_service_bytes_recursive?: { op: string; value: number }[] | null }
  pids_stats: { current?: number }
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }> | null
}

interface CpuStats {
  cpu_usage: { total_usage: number; percpu_usage?: number[] | null }
  system_cpu_usage?: number
  online_cpus?: number
}

export interface StatsRow {
  container: string
  id: string
  name: string
  cpuPercent: number
  memoryBytes: number
  memoryLimitBytes: number
  memoryPercent: number
  receivedBytes: number
  sentBytes: number
  readBytes: number
  writtenBytes: number
  pids: number
  /** Nothing could be read: the columns show dashes. */
  failed: boolean
}

export function emptyRow(container: string): StatsRow {
  return {
    container,
    id: '',
    name: '',
    cpuPercent: 0,
    memoryBytes: 0,
    memoryLimitBytes: 0,
    memoryPercent: 0,
    receivedBytes: 0,
    sentBytes: 0,
    readBytes: 0,
    writtenBytes: 0,
    pids: 0,
    failed: false,
  }
}

export function toRow(container: string, sample: StatsSample): StatsRow {
  const memoryBytes = usedMemory(sample)
  const memoryLimitBytes = sample.memory_stats.limit ?? 0
  const networks = Object.values(sample.networks ?? {})
  const blocks = sample.blkio_stats.io_service_bytes_recursive ?? []
  const sum = (letter: string) =>
    blocks.filter(({ op }) => op.toLowerCase().startsWith(letter)).reduce((total, { value }) => total + value, 0)
  return {
    container,
    id: sample.id ?? '',
    name: (sample.name ?? '').replace(/^\//, ''),
    cpuPercent: cpuPercent(sample),
    memoryBytes,
    memoryLimitBytes,
    memoryPercent: memoryLimitBytes === 0 ? 0 : (memoryBytes / memoryLimitBytes) * 100,
    receivedBytes: networks.reduce((total, network) => total + network.rx_bytes, 0),
    sentBytes: networks.reduce((total, network) => total + network.tx_bytes, 0),
    readBytes: sum('r'),
    writtenBytes: sum('w'),
    pids: sample.pids_stats.current ?? 0,
    failed: false,
  }
}

/** The page cache that could be dropped does not count. */
function usedMemory({ memory_stats: { usage = 0, stats } }: StatsSample): number {
  const cacheV1 = stats?.total_inactive_file
  if (cacheV1 !== undefined && cacheV1 < usage) return usage - cacheV1
  const cacheV2 = stats?.inactive_file ?? 0
  return cacheV2 < usage ? usage - cacheV2 : usage
}

function cpuPercent({ cpu_stats: now, precpu_stats: before }: StatsSample): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
  const cpus = now.online_cpus || now.cpu_usage.percpu_usage?.length || 0
  return used > 0 && passed > 0 ? (used / passed) * cpus * 100 : 0
}
