/** Resource usage of a container; one object a second in the stats stream. Times in nanoseconds, sizes in bytes. */
import * as z from 'zod'
import { stringMap, uint32, uint64 } from './primitives.ts'

export const ContainerBlkioStatEntry = z.object({ major: uint64, minor: uint64, op: z.string(), value: uint64 })
export type ContainerBlkioStatEntry = z.infer<typeof ContainerBlkioStatEntry>

const blkioEntries = z.array(ContainerBlkioStatEntry).nullable()

export const ContainerBlkioStats = z.object({
  io_service_bytes_recursive: blkioEntries,
  io_serviced_recursive: blkioEntries,
  io_queue_recursive: blkioEntries,
  io_service_time_recursive: blkioEntries,
  io_wait_time_recursive: blkioEntries,
  io_merged_recursive: blkioEntries,
  io_time_recursive: blkioEntries,
  sectors_recursive: blkioEntries,
})
export type ContainerBlkioStats = z.infer<typeof ContainerBlkioStats>

export const ContainerCPUStats = z.object({
  cpu_usage: z.object({
    total_usage: uint64,
    percpu_usage: z.array(uint64).optional(),
    usage_in_kernelmode: uint64,
    usage_in_usermode: uint64,
  }),
  system_cpu_usage: uint64.optional(),
  online_cpus: uint32.optional(),
  throttling_data: z.object({ periods: uint64, throttled_periods: uint64, throttled_time: uint64 }),
})
export type ContainerCPUStats = z.infer<typeof ContainerCPUStats>

export const ContainerMemoryStats = z.object({
  usage: uint64.optional(),
  max_usage: uint64.optional(),
  stats: z.record(z.string(), uint64).optional(),
  failcnt: uint64.optional(),
  limit: uint64.optional(),
})
export type ContainerMemoryStats = z.infer<typeof ContainerMemoryStats>

export const ContainerNetworkStats = z.object({
  rx_bytes: uint64,
  rx_packets: uint64,
  rx_errors: uint64,
  rx_dropped: uint64,
  tx_bytes: uint64,
  tx_packets: uint64,
  tx_errors: uint64,
  tx_dropped: uint64,
})
export type ContainerNetworkStats = z.infer<typeof ContainerNetworkStats>

export const ContainerStatsResponse = z.object({
  id: z.string().optional(),
  name: z.string().optional(),
  os_type: z.string().optional(),
  read: z.string(),
  preread: z.string(),
  cpu_stats: ContainerCPUStats,
  precpu_stats: ContainerCPUStats,
  memory_stats: ContainerMemoryStats,
  networks: z.record(z.string(), ContainerNetworkStats).optional(),
  pids_stats: z.object({ current: uint64.optional(), limit: uint64.optional() }),
  blkio_stats: ContainerBlkioStats,
  num_procs: uint32,
  /** Windows only; always {} here. */
  storage_stats: stringMap,
})
export type ContainerStatsResponse = z.infer<typeof ContainerStatsResponse>
