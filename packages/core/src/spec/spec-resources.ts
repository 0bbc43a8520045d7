/** Limits (`HostConfig`'s Resources) and devices, as the OCI runtime wants them. */
import type { HostConfig } from '@dockerd-ts/api'
import { internal, runtimeRefusal } from '../errors/engine-error.ts'
import type { HostFacts } from './host-facts.ts'
import type { OciDevice, OciDeviceRule, OciResources, OciRlimit, OciThrottleDevice, Uint64 } from './oci-types.ts'
import { isCdiRequest } from './spec-edits.ts'
import { maxUint64 } from './wide-numbers.ts'

/** What `HostConfig` names by path, looked up on the host (the linux package does it). */
export interface HostDevices {
  /** Nodes to make in the container, each with what its cgroup rule allows. */
  devices: readonly (OciDevice & { access: string })[]
  /** Numbers of the block devices that blkio options name, by path. */
  blockDevices: ReadonlyMap<string, { major: number; minor: number }>
}

export const noDevices: HostDevices = { devices: [], blockDevices: new Map() }

/** Everything is refused but these; the runtime adds full, ptmx and pts. fuse stays refused although it is world-usable. */
const defaultDeviceRules: readonly OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' },
  { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
]

export function containerResources(hostConfig: HostConfig, found: HostDevices): OciResources {
  refuseUnknown(hostConfig)
  const memory = memoryResources(hostConfig)
  const cpu = cpuResources(hostConfig)
  const blockIO = blockResources(hostConfig, found)
  return {
    devices: deviceRules(hostConfig, found),
    ...(memory && { memory }),
    ...(cpu && { cpu }),
    ...(hostConfig.PidsLimit && hostConfig.PidsLimit > 0 && { pids: { limit: hostConfig.PidsLimit } }),
    ...(blockIO && { blockIO }),
  }
}

/** What Docker refuses only when the container starts, with status 500. */
function refuseUnknown({ DeviceRequests: requests, CpuShares: shares, Ulimits: ulimits }: HostConfig): void {
  const request = requests?.find((each) => !isCdiRequest(each))
  if (request !== undefined) {
    const capabilities = (request.Capabilities ?? []).map((set) => `[${set.join(' ')}]`).join(' ')
    const driver = JSON.stringify(request.Driver ?? '')
    throw internal(`could not select device driver ${driver} with capabilities: [${capabilities}]`)
  }
  if ((shares ?? 0) < 0) throw internal('shares: invalid argument')
  refuseShares(shares ?? 0)
  const unknown = ulimits?.find(({ Name: name }) => !rlimitNames.has((name ?? '').toUpperCase()))
  if (unknown) throw runtimeRefusal(`wrong rlimit value: RLIMIT_${(unknown.Name ?? '').toUpperCase()}`)
  const above = ulimits?.find(({ Soft: soft, Hard: hard }) => unlimited(soft) > unlimited(hard))
  if (above) {
    throw runtimeRefusal(
      `${duringInit}: error setting rlimit type ${rlimitTypes.indexOf((above.Name ?? '').toUpperCase())}: invalid argument`,
    )
  }
}

const duringInit = 'unable to start container process: error during container init'

/** The kernel would quietly take the nearest. */
function refuseShares(shares: number): void {
  const refuse = (bound: string) =>
    runtimeRefusal(`${duringInit}: error setting cgroup config for procHooks process: the ${bound}`)
  if (shares === 1) throw refuse('minimum allowed cpu-shares is 2')
  if (shares > 262_144) throw refuse('maximum allowed cpu-shares is 262144')
}

/** In the kernel's order. */
const rlimitTypes =
  'CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME'.split(' ')
const rlimitNames = new Set(rlimitTypes)

function deviceRules(hostConfig: HostConfig, found: HostDevices): OciDeviceRule[] {
  if (hostConfig.Privileged) return [{ allow: true, access: 'rwm' }]
  return [
    ...defaultDeviceRules,
    ...found.devices.map(({ type, major, minor, access }) => ({
      allow: true,
      ...(type !== 'p' && { type }),
      major,
      minor,
      access,
    })),
    ...(hostConfig.DeviceCgroupRules ?? []).map(parseDeviceCgroupRule),
  ]
}

const deviceCgroupRule = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/

/** `c 13:* rwm`. Throws internal (Docker's status is 500) `invalid device cgroup rule format: 'x'`. */
export function parseDeviceCgroupRule(text: string): OciDeviceRule {
  const [, type, major, minor, access] = deviceCgroupRule.exec(text) ?? []
  if (type === undefined || access === undefined) {
    throw internal(`invalid device cgroup rule format: '${text}'`)
  }
  return {
    allow: true,
    type: type as 'a' | 'b' | 'c',
    ...(major !== '*' && { major: Number(major) }),
    ...(minor !== '*' && { minor: Number(minor) }),
    access,
  }
}

function memoryResources(hostConfig: HostConfig): OciResources['memory'] | undefined {
  const { Memory, MemoryReservation, MemorySwap, MemorySwappiness, OomKillDisable } = hostConfig
  const swappiness = MemorySwappiness ?? -1
  const memory = {
    ...(Memory && Memory > 0 && { limit: Memory }),
    ...(MemoryReservation && MemoryReservation > 0 && { reservation: MemoryReservation }),
    ...(MemorySwap && { swap: Math.max(MemorySwap, -1) }),
    ...(swappiness >= 0 && { swappiness }),
    ...(OomKillDisable && { disableOOMKiller: true }),
  }
  return Object.keys(memory).length > 0 ? memory : undefined
}

/** The scheduling period in which `NanoCpus` is counted, in microseconds. */
const nanoCpusPeriodMicros = 100_000

function cpuResources(hostConfig: HostConfig): OciResources['cpu'] | undefined {
  const { NanoCpus } = hostConfig
  const quota = NanoCpus ? Math.trunc((NanoCpus * nanoCpusPeriodMicros) / 1e9) : hostConfig.CpuQuota
  const period = NanoCpus ? nanoCpusPeriodMicros : hostConfig.CpuPeriod
  const cpu = {
    ...(hostConfig.CpuShares && { shares: hostConfig.CpuShares }),
    // A negative one is no quota.
    ...(quota && quota > 0 && { quota }),
    ...(period && { period }),
    ...(hostConfig.CpuRealtimeRuntime && { realtimeRuntime: hostConfig.CpuRealtimeRuntime }),
    ...(hostConfig.CpuRealtimePeriod && { realtimePeriod: hostConfig.CpuRealtimePeriod }),
    ...(hostConfig.CpusetCpus && { cpus: hostConfig.CpusetCpus }),
    ...(hostConfig.CpusetMems && { mems: hostConfig.CpusetMems }),
  }
  return Object.keys(cpu).length > 0 ? cpu : undefined
}

function blockResources(hostConfig: HostConfig, found: HostDevices): OciResources['blockIO'] | undefined {
  const numbersOf = (path: string | undefined) => {
    const numbers = found.blockDevices.get(path ?? '')
    if (numbers === undefined) throw internal(`block device ${path} was not looked up`)
    return { major: numbers.major, minor: numbers.minor }
  }
  const throttles = (devices: HostConfig['BlkioDeviceReadBps']): OciThrottleDevice[] | undefined =>
    devices?.length ? devices.map(({ Path, Rate }) => ({ ...numbersOf(Path), rate: Rate ?? 0 })) : undefined
  const weightDevice = hostConfig.BlkioWeightDevice?.map(({ Path, Weight }) => ({
    ...numbersOf(Path),
    weight: Weight ?? 0,
  }))
  const readBps = throttles(hostConfig.BlkioDeviceReadBps)
  const writeBps = throttles(hostConfig.BlkioDeviceWriteBps)
  const readIops = throttles(hostConfig.BlkioDeviceReadIOps)
  const writeIops = throttles(hostConfig.BlkioDeviceWriteIOps)
  const blockIO = {
    ...(hostConfig.BlkioWeight && { weight: hostConfig.BlkioWeight }),
    ...(weightDevice?.length && { weightDevice }),
    ...(readBps && { throttleReadBpsDevice: readBps }),
    ...(writeBps && { throttleWriteBpsDevice: writeBps }),
    ...(readIops && { throttleReadIOPSDevice: readIops }),
    ...(writeIops && { throttleWriteIOPSDevice: writeIops }),
  }
  return Object.keys(blockIO).length > 0 ? blockIO : undefined
}

/** Sorted by name. A hard limit that this daemon may not raise is lowered to its own; create has warned. */
export function containerRlimits(
  ulimits: HostConfig['Ulimits'],
  withoutSysResource: HostFacts['withoutSysResource'],
): OciRlimit[] {
  return (ulimits ?? [])
    .map(({ Name, Soft, Hard }) => {
      const type = `RLIMIT_${(Name ?? '').toUpperCase()}`
      const ceiling = withoutSysResource?.hardLimits[type] ?? Number.POSITIVE_INFINITY
      const hard = Math.min(unlimited(Hard), ceiling)
      return { type, hard: toUint64(hard), soft: toUint64(Math.min(unlimited(Soft), hard)) }
    })
    .sort((a, b) => (a.type < b.type ? -1 : 1))
}

/** -1 in Docker's API is RLIM_INFINITY. */
function unlimited(value: number | null | undefined): number {
  return value === -1 ? Number.POSITIVE_INFINITY : (value ?? 0)
}

function toUint64(value: number): Uint64 {
  return value === Number.POSITIVE_INFINITY ? maxUint64 : value
}
