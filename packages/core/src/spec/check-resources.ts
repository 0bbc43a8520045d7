/**
 * Checks limits as dockerd does at create and update: what contradicts itself is refused, what the host cannot enforce
 * is discarded with a warning. The texts are Docker's; clients show and match them.
 */
import type { HostConfig, Resources } from '@dockerd-ts/api'
import { internal, invalidArgument } from '../errors/engine-error.ts'
import type { CgroupFacts, HostFacts } from './host-facts.ts'
import { highestProcessor, parseIntegerList } from './integer-list.ts'

export interface ResourceCheck {
  /** A copy, without what was discarded and with Docker's defaults. */
  resources: Resources
  warnings: string[]
}

/** 6 MiB. */
const minimumMemoryBytes = 6 * 1024 * 1024

/** `update` is true for limits that change a container: swap may then be given without memory. */
export function checkResources(asked: Resources, host: HostFacts, update = false): ResourceCheck {
  const check: ResourceCheck = { resources: { ...asked }, warnings: [] }
  checkMemory(check, host.cgroup, update)
  checkOom(check, host.cgroup)
  checkPids(check, host.cgroup)
  checkCpu(check, host)
  checkCpuset(check, host)
  checkBlockIo(check, host.cgroup)
  return check
}

const notMounted = 'or the cgroup is not mounted.'

function checkMemory(check: ResourceCheck, cgroup: CgroupFacts, update: boolean): void {
  const { resources, warnings } = check
  // -1 is how some clients say nothing at all.
  if (resources.MemorySwappiness === -1) resources.MemorySwappiness = null
  if (resources.Memory && resources.Memory < minimumMemoryBytes) {
    throw invalidArgument('Minimum memory limit allowed is 6MB')
  }
  if ((resources.Memory ?? 0) > 0 && !cgroup.memoryLimit) {
    warnings.push(`Your kernel does not support memory limit capabilities ${notMounted} Limitation discarded.`)
    resources.Memory = 0
    resources.MemorySwap = -1
  }
  const memory = resources.Memory ?? 0
  if (memory > 0 && resources.MemorySwap !== -1 && !cgroup.swapLimit) {
    warnings.push(`Your kernel does not support swap limit capabilities ${notMounted} Memory limited without swap.`)
    resources.MemorySwap = -1
  }
  const swap = resources.MemorySwap ?? 0
  if (memory > 0 && swap > 0 && swap < memory) {
    throw invalidArgument('Minimum memoryswap limit should be larger than memory limit, see usage')
  }
  if (memory === 0 && swap > 0 && !update) {
    throw invalidArgument('You should always set the Memory limit when using Memoryswap limit, see usage')
  }
  checkSwappiness(check, cgroup)
  checkReservation(check, cgroup)
}

function checkSwappiness({ resources, warnings }: ResourceCheck, cgroup: CgroupFacts): void {
  const swappiness = resources.MemorySwappiness
  if (typeof swappiness !== 'number') return
  if (!cgroup.memorySwappiness) {
    const text = 'Your kernel does not support memory swappiness capabilities'
    warnings.push(`${text} ${notMounted} Memory swappiness discarded.`)
    resources.MemorySwappiness = null
  } else if (swappiness < 0 || swappiness > 100) {
    throw invalidArgument(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`)
  }
}

function checkReservation({ resources, warnings }: ResourceCheck, cgroup: CgroupFacts): void {
  if ((resources.MemoryReservation ?? 0) > 0 && !cgroup.memoryReservation) {
    warnings.push(`Your kernel does not support memory soft limit capabilities ${notMounted} Limitation discarded.`)
    resources.MemoryReservation = 0
  }
  const reservation = resources.MemoryReservation ?? 0
  const memory = resources.Memory ?? 0
  if (reservation > 0 && reservation < minimumMemoryBytes) {
    throw invalidArgument('Minimum memory reservation allowed is 6MB')
  }
  if (memory > 0 && memory < reservation) {
    throw invalidArgument('Minimum memory limit can not be less than memory reservation limit, see usage')
  }
}

function checkOom({ resources, warnings }: ResourceCheck, cgroup: CgroupFacts): void {
  if (!resources.OomKillDisable) return
  if (!cgroup.oomKillDisable) {
    warnings.push('Your kernel does not support OomKillDisable. OomKillDisable discarded.')
    resources.OomKillDisable = null
  } else if (!resources.Memory) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    )
  }
}

function checkPids({ resources, warnings }: ResourceCheck, cgroup: CgroupFacts): void {
  if (typeof resources.PidsLimit !== 'number') return
  if (resources.PidsLimit > 0 && !cgroup.pidsLimit) {
    warnings.push(`Your kernel does not support PIDs limit capabilities ${notMounted} PIDs limit discarded.`)
    resources.PidsLimit = null
  }
}

function checkCpu({ resources, warnings }: ResourceCheck, host: HostFacts): void {
  checkNanoCpus(resources, host)
  if ((resources.CpuShares ?? 0) > 0 && !host.cgroup.cpuShares) {
    warnings.push(`Your kernel does not support CPU shares ${notMounted} Shares discarded.`)
    resources.CpuShares = 0
  }
  if ((resources.CpuPeriod || resources.CpuQuota) && !host.cgroup.cpuCfs) {
    warnings.push('Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.')
    resources.CpuPeriod = 0
    resources.CpuQuota = 0
  }
  const period = resources.CpuPeriod ?? 0
  if (period !== 0 && (period < 1000 || period > 1_000_000)) {
    throw invalidArgument('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)')
  }
  const quota = resources.CpuQuota ?? 0
  if (quota > 0 && quota < 1000) throw invalidArgument('CPU cfs quota can not be less than 1ms (i.e. 1000)')
  if ((resources.CpuPercent ?? 0) > 0) {
    warnings.push('linux does not support CPU percent. Percent discarded.')
    resources.CpuPercent = 0
  }
}

function checkNanoCpus(resources: Resources, host: HostFacts): void {
  const nanoCpus = resources.NanoCpus ?? 0
  if (nanoCpus > 0 && (resources.CpuPeriod ?? 0) > 0) {
    throw invalidArgument('Conflicting options: Nano CPUs and CPU Period cannot both be set')
  }
  if (nanoCpus > 0 && (resources.CpuQuota ?? 0) > 0) {
    throw invalidArgument('Conflicting options: Nano CPUs and CPU Quota cannot both be set')
  }
  if (nanoCpus > 0 && !host.cgroup.cpuCfs) {
    throw invalidArgument(
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    )
  }
  if (nanoCpus < 0 || nanoCpus > host.cpuCount * 1e9) {
    const count = host.cpuCount
    throw invalidArgument(`Range of CPUs is from 0.01 to ${count}.00, as there are only ${count} CPUs available`)
  }
}

function checkCpuset({ resources, warnings }: ResourceCheck, host: HostFacts): void {
  if ((resources.CpusetCpus || resources.CpusetMems) && !host.cgroup.cpuset) {
    warnings.push(`Your kernel does not support cpuset ${notMounted} Cpuset discarded.`)
    resources.CpusetCpus = ''
    resources.CpusetMems = ''
    return
  }
  checkList(resources.CpusetCpus, host.onlineCpus, { option: 'cpuset cpus', noun: 'CPUs' })
  checkList(resources.CpusetMems, host.memoryNodes, { option: 'cpuset mems', noun: 'memory nodes' })
}

function checkList(wanted: string | undefined, available: string, text: { option: string; noun: string }): void {
  if (!wanted) return
  const parsed = parseIntegerList(wanted, highestProcessor)
  if (typeof parsed === 'string') throw invalidArgument(`Invalid value ${wanted} for ${text.option}: ${parsed}`)
  const existing = parseIntegerList(available, highestProcessor)
  if (typeof existing !== 'string' && [...parsed].some((number) => !existing.has(number))) {
    throw invalidArgument(`Requested ${text.noun} are not available - requested ${wanted}, available: ${available}`)
  }
}

type BlockDeviceList = 'BlkioDeviceReadBps' | 'BlkioDeviceWriteBps' | 'BlkioDeviceReadIOps' | 'BlkioDeviceWriteIOps'

function checkBlockIo({ resources, warnings }: ResourceCheck, cgroup: CgroupFacts): void {
  if ((resources.BlkioWeight ?? 0) > 0 && !cgroup.blkioWeight) {
    warnings.push(`Your kernel does not support Block I/O weight ${notMounted} Weight discarded.`)
    resources.BlkioWeight = 0
  }
  const weight = resources.BlkioWeight ?? 0
  if (weight > 0 && (weight < 10 || weight > 1000)) {
    throw invalidArgument('Range of blkio weight is from 10 to 1000')
  }
  if (resources.IOMaximumBandwidth || resources.IOMaximumIOps) {
    const option = resources.IOMaximumBandwidth ? 'maximum bandwidth' : 'maximum IOPs'
    // Docker's own status here is 500.
    throw internal(`Invalid QoS settings: linux does not support configuration of ${option}`)
  }
  if (resources.BlkioWeightDevice?.length && !cgroup.blkioWeightDevice) {
    warnings.push(`Your kernel does not support Block I/O weight_device ${notMounted} Weight-device discarded.`)
    resources.BlkioWeightDevice = []
  }
  const throttles: [BlockDeviceList, boolean, string, string][] = [
    ['BlkioDeviceReadBps', cgroup.blkioReadBps, 'BPS Block I/O read limit', 'Block I/O BPS read limit'],
    ['BlkioDeviceWriteBps', cgroup.blkioWriteBps, 'BPS Block I/O write limit', 'Block I/O BPS write limit'],
    ['BlkioDeviceReadIOps', cgroup.blkioReadIops, 'IOPS Block read limit', 'Block I/O IOPS read limit'],
    ['BlkioDeviceWriteIOps', cgroup.blkioWriteIops, 'IOPS Block write limit', 'Block I/O IOPS write limit'],
  ]
  for (const [field, supported, feature, limit] of throttles) {
    if (!resources[field]?.length || supported) continue
    warnings.push(`Your kernel does not support ${feature} ${notMounted} ${limit} discarded.`)
    resources[field] = []
  }
}

/** Real-time scheduling; Docker answers these two with status 500. */
export function checkRealtime(hostConfig: HostConfig, cgroup: CgroupFacts): void {
  const period = hostConfig.CpuRealtimePeriod ?? 0
  const runtime = hostConfig.CpuRealtimeRuntime ?? 0
  if ((period !== 0 || runtime !== 0) && !cgroup.cpuRealtime) {
    throw internal('kernel does not support CPU real-time scheduler')
  }
  if (period !== 0 && runtime > period) {
    throw internal('cpu real-time runtime cannot be higher than cpu real-time period')
  }
}
