/** What a container uses: one object a second, each with the one before it, so that clients can compute rates. */
import type * as wire from '@dockerd-ts/api'
import { isEngineError } from '../errors/engine-error.ts'
import type { BlkioEntry, CgroupStatistics } from '../ports/runtime.ts'
import { rfc3339Nano, zeroTime } from '../support/go-time.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import { hasProcess } from './container-state.ts'
import { networkModeOf } from './network-mode.ts'

const intervalMs = 1000

export interface StatsQuery {
  stream: boolean
  oneShot: boolean
  signal: AbortSignal
}

/** Throws notFound at once. A container that does not run gives almost empty objects; the stream ends with its removal. */
export function containerStats(
  context: ContainerContext,
  reference: string,
  query: StatsQuery,
): AsyncIterable<wire.ContainerStatsResponse> {
  const container = context.registry.find(reference)
  return samples(context, container, query)
}

async function* samples(
  context: ContainerContext,
  container: Container,
  query: StatsQuery,
): AsyncGenerator<wire.ContainerStatsResponse> {
  let previous: wire.ContainerStatsResponse | undefined
  const running = () => hasProcess(container.record.status)
  if (!query.stream && !query.oneShot && running()) {
    previous = await sample(context, container)
    await pause(context, query.signal)
  }
  while (!query.signal.aborted && context.registry.get(container.id) === container) {
    const current = await sample(context, container)
    if (previous !== undefined && previous.read !== zeroTime && current.read !== zeroTime) {
      current.preread = previous.read
      current.precpu_stats = previous.cpu_stats
    }
    yield current
    if (!query.stream) return
    previous = current
    await pause(context, query.signal)
  }
}

function pause(context: ContainerContext, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = context.clock.after(intervalMs, done)
    signal.addEventListener('abort', done, { once: true })
  })
}

async function sample(context: ContainerContext, container: Container): Promise<wire.ContainerStatsResponse> {
  const { record } = container
  const empty = emptyStats(container)
  if (!hasProcess(record.status)) return empty
  try {
    const statistics = await context.cgroups.statistics(record.id, record.hostConfig.CgroupParent || undefined)
    const cpu = context.host.systemCpuNs()
    return {
      ...empty,
      read: rfc3339Nano(context.clock.nowNs()),
      ...cgroupFields(statistics, { system: cpu, version: context.cgroups.version }),
      ...networkFields(context, container),
    }
  } catch (error) {
    // It ended while it was being looked at.
    if (isEngineError(error, 'notFound') || !hasProcess(record.status)) return empty
    throw error
  }
}

const noCpu = (): wire.ContainerCPUStats => ({
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
})

const noBlkio: wire.ContainerBlkioStats = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
}

const emptyBlkio: wire.ContainerBlkioStats = {
  io_service_bytes_recursive: [],
  io_serviced_recursive: [],
  io_queue_recursive: [],
  io_service_time_recursive: [],
  io_wait_time_recursive: [],
  io_merged_recursive: [],
  io_time_recursive: [],
  sectors_recursive: [],
}

const emptyStats = ({ record }: Container): wire.ContainerStatsResponse => ({
  id: record.id,
  name: `/${record.name}`,
  os_type: 'linux',
  read: zeroTime,
  preread: zeroTime,
  pids_stats: {},
  blkio_stats: noBlkio,
  num_procs: 0,
  storage_stats: {},
  cpu_stats: noCpu(),
  precpu_stats: noCpu(),
  memory_stats: {},
})

function cgroupFields(
  { cpu, memory, pids, blkio }: CgroupStatistics,
  { system, version }: { system: { totalNs: number; onlineCpus: number }; version: '1' | '2' },
): Pick<wire.ContainerStatsResponse, 'cpu_stats' | 'memory_stats' | 'pids_stats' | 'blkio_stats'> {
  return {
    cpu_stats: {
      cpu_usage: {
        total_usage: cpu.totalNs,
        ...(cpu.perCpuNs !== undefined && { percpu_usage: cpu.perCpuNs }),
        usage_in_kernelmode: cpu.systemNs,
        usage_in_usermode: cpu.userNs,
      },
      system_cpu_usage: system.totalNs,
      online_cpus: system.onlineCpus,
      throttling_data: {
        periods: cpu.periods,
        throttled_periods: cpu.throttledPeriods,
        throttled_time: cpu.throttledNs,
      },
    },
    memory_stats: {
      usage: memory.usageBytes,
      ...(memory.maxUsageBytes !== undefined && { max_usage: memory.maxUsageBytes }),
      stats: memory.stats,
      ...(memory.failcnt !== undefined && { failcnt: memory.failcnt }),
      limit: memory.limitBytes,
    },
    pids_stats: { current: pids.current, ...(pids.limit !== undefined && { limit: pids.limit }) },
    blkio_stats: {
      // Of v1 Docker reads counters that no scheduler of today has; of v2 it knows of none.
      ...(version === '1' ? emptyBlkio : noBlkio),
      io_service_bytes_recursive: blkio.serviceBytes.map(blkioEntry),
      io_serviced_recursive: blkio.serviced.map(blkioEntry),
    },
  }
}

const blkioEntry = ({ major, minor, op, value }: BlkioEntry): wire.ContainerBlkioStatEntry => ({
  major,
  minor,
  op,
  value,
})

/** Containers in another's or the host's network have no counters of their own. */
function networkFields(
  context: ContainerContext,
  { record }: Container,
): Pick<wire.ContainerStatsResponse, 'networks'> {
  const { kind } = networkModeOf(record.hostConfig)
  if (kind === 'host' || kind === 'container' || kind === 'none') return {}
  const counters = Object.entries(context.host.networkCounters(record.state.pid))
  return {
    networks: Object.fromEntries(
      counters.map(([name, counter]) => [
        name,
        {
          rx_bytes: counter.rxBytes,
          rx_packets: counter.rxPackets,
          rx_errors: counter.rxErrors,
          rx_dropped: counter.rxDropped,
          tx_bytes: counter.txBytes,
          tx_packets: counter.txPackets,
          tx_errors: counter.txErrors,
          tx_dropped: counter.txDropped,
        },
      ]),
    ),
  }
}
