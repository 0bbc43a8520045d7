/** Limits. */
import { cgroupV1, hostRefuses, hostShows, type Row, refuses, shows } from './row.ts'

const mebibyte = 1024 * 1024
const notMounted = 'or the cgroup is not mounted.'
const limits = 'spec.linux.resources'
const host = (hostConfig: object) => ({ with: { HostConfig: hostConfig } })

const memory: readonly Row[] = [
  hostShows('Memory', 32 * mebibyte, { [`${limits}.memory.limit`]: 32 * mebibyte }),
  // As much swap again.
  shows('HostConfig.Memory', 32 * mebibyte, {
    'inspect.HostConfig.MemorySwap': 64 * mebibyte,
    [`${limits}.memory.swap`]: 64 * mebibyte,
  }),
  hostRefuses('Memory', 5, [400, 'Minimum memory limit allowed is 6MB']),
  hostRefuses('Memory', -5, [400, 'Minimum memory limit allowed is 6MB']),
  hostShows('MemorySwap', -1, { [`${limits}.memory.swap`]: -1 }, host({ Memory: 32 * mebibyte })),
  hostShows('MemorySwap', 40 * mebibyte, { [`${limits}.memory.swap`]: 40 * mebibyte }, host({ Memory: 32 * mebibyte })),
  hostRefuses('MemorySwap', 40 * mebibyte, [
    400,
    'You should always set the Memory limit when using Memoryswap limit, see usage',
  ]),
  hostRefuses(
    'MemorySwap',
    mebibyte,
    [400, 'Minimum memoryswap limit should be larger than memory limit, see usage'],
    host({ Memory: 32 * mebibyte }),
  ),
  hostShows('MemoryReservation', 16 * mebibyte, { [`${limits}.memory.reservation`]: 16 * mebibyte }),
  hostRefuses('MemoryReservation', 5, [400, 'Minimum memory reservation allowed is 6MB']),
  hostRefuses(
    'MemoryReservation',
    64 * mebibyte,
    [400, 'Minimum memory limit can not be less than memory reservation limit, see usage'],
    host({ Memory: 32 * mebibyte }),
  ),
  hostShows('MemorySwappiness', 30, { [`${limits}.memory.swappiness`]: 30 }, { on: cgroupV1 }),
  shows('HostConfig.MemorySwappiness', 30, {
    warnings: [
      `Your kernel does not support memory swappiness capabilities ${notMounted} Memory swappiness discarded.`,
    ],
  }),
  hostRefuses('MemorySwappiness', 101, [400, 'Invalid value: 101, valid memory swappiness range is 0-100'], {
    on: cgroupV1,
  }),
  hostShows(
    'OomKillDisable',
    true,
    { [`${limits}.memory.disableOOMKiller`]: true },
    { ...host({ Memory: 32 * mebibyte }), on: cgroupV1 },
  ),
  shows(
    'HostConfig.OomKillDisable',
    true,
    {
      warnings: [
        'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
      ],
    },
    { on: cgroupV1 },
  ),
  shows('HostConfig.OomKillDisable', true, {
    warnings: ['Your kernel does not support OomKillDisable. OomKillDisable discarded.'],
  }),
  hostShows('OomScoreAdj', 500, { 'spec.process.oomScoreAdj': 500 }),
  hostRefuses('OomScoreAdj', 1001, [400, 'Invalid value 1001, range for oom score adj is [-1000, 1000]']),
  hostRefuses('OomScoreAdj', -1001, [400, 'Invalid value -1001, range for oom score adj is [-1000, 1000]']),
]

const processors: readonly Row[] = [
  hostShows('CpuShares', 512, { [`${limits}.cpu.shares`]: 512 }),
  hostRefuses('CpuShares', -1, [500, 'shares: invalid argument']),
  hostShows('NanoCpus', 500_000_000, { [`${limits}.cpu.quota`]: 50_000, [`${limits}.cpu.period`]: 100_000 }),
  hostRefuses('NanoCpus', 3_000_000_000, [
    400,
    'Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available',
  ]),
  hostRefuses(
    'NanoCpus',
    500_000_000,
    [400, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
    host({ CpuPeriod: 50_000 }),
  ),
  hostRefuses(
    'NanoCpus',
    500_000_000,
    [400, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
    host({ CpuQuota: 50_000 }),
  ),
  hostShows('CpuPeriod', 50_000, { [`${limits}.cpu.period`]: 50_000 }),
  hostRefuses('CpuPeriod', 999, [
    400,
    'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  ]),
  hostShows('CpuQuota', 25_000, { [`${limits}.cpu.quota`]: 25_000 }),
  hostRefuses('CpuQuota', 5, [400, 'CPU cfs quota can not be less than 1ms (i.e. 1000)']),
  hostShows('CpuRealtimePeriod', 1_000_000, { [`${limits}.cpu.realtimePeriod`]: 1_000_000 }, { on: cgroupV1 }),
  hostRefuses('CpuRealtimePeriod', 1_000_000, [500, 'kernel does not support CPU real-time scheduler']),
  hostShows(
    'CpuRealtimeRuntime',
    10_000,
    { [`${limits}.cpu.realtimeRuntime`]: 10_000 },
    { ...host({ CpuRealtimePeriod: 1_000_000 }), on: cgroupV1 },
  ),
  hostRefuses(
    'CpuRealtimeRuntime',
    2_000_000,
    [500, 'cpu real-time runtime cannot be higher than cpu real-time period'],
    { ...host({ CpuRealtimePeriod: 1_000_000 }), on: cgroupV1 },
  ),
  hostShows('CpusetCpus', '0', { [`${limits}.cpu.cpus`]: '0' }),
  hostRefuses('CpusetCpus', '7', [400, 'Requested CPUs are not available - requested 7, available: 0-1']),
  hostShows('CpusetMems', '0', { [`${limits}.cpu.mems`]: '0' }),
  hostRefuses('CpusetMems', '7', [400, 'Requested memory nodes are not available - requested 7, available: 0']),
  // Of Windows: kept as it is, or told.
  hostShows('CpuCount', 1, {}),
  shows('HostConfig.CpuPercent', 50, { warnings: ['linux does not support CPU percent. Percent discarded.'] }),
]

const throttles = (
  [
    ['BlkioDeviceReadBps', 'throttleReadBpsDevice'],
    ['BlkioDeviceWriteBps', 'throttleWriteBpsDevice'],
    ['BlkioDeviceReadIOps', 'throttleReadIOPSDevice'],
    ['BlkioDeviceWriteIOps', 'throttleWriteIOPSDevice'],
  ] as const
).flatMap(([field, place]): Row[] => {
  const limit = { Path: '/dev/sda', Rate: 1000 }
  return [
    shows(
      `HostConfig.${field}[].Rate`,
      1000,
      {
        [`${limits}.blockIO.${place}`]: [{ major: 8, minor: 0, rate: 1000 }],
        [`inspect.HostConfig.${field}`]: [limit],
      },
      host({ [field]: [{ Path: '/dev/sda' }] }),
    ),
    shows(
      `HostConfig.${field}[].Path`,
      '/dev/zero',
      { [`${limits}.blockIO.${place}.0.minor`]: 5, [`${limits}.blockIO.${place}.0.major`]: 1 },
      { with: { HostConfig: { [field]: [limit] } } },
    ),
    // The host's own words follow the path there.
    refuses(`HostConfig.${field}[].Path`, '/dev/none', [500, 'no device /dev/none'], host({ [field]: [{ Rate: 1 }] })),
  ]
})

const blockDevices: readonly Row[] = [
  hostShows('BlkioWeight', 300, { [`${limits}.blockIO.weight`]: 300 }),
  hostRefuses('BlkioWeight', 9, [400, 'Range of blkio weight is from 10 to 1000']),
  shows(
    'HostConfig.BlkioWeightDevice[].Weight',
    200,
    {
      [`${limits}.blockIO.weightDevice.0.weight`]: 200,
      'inspect.HostConfig.BlkioWeightDevice': [{ Path: '/dev/sda', Weight: 200 }],
    },
    host({ BlkioWeightDevice: [{ Path: '/dev/sda' }] }),
  ),
  shows(
    'HostConfig.BlkioWeightDevice[].Path',
    '/dev/zero',
    { [`${limits}.blockIO.weightDevice`]: [{ major: 1, minor: 5, weight: 200 }] },
    host({ BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 200 }] }),
  ),
  ...throttles,
  hostRefuses('IOMaximumBandwidth', 1000, [
    500,
    'Invalid QoS settings: linux does not support configuration of maximum bandwidth',
  ]),
  hostRefuses('IOMaximumIOps', 1000, [
    500,
    'Invalid QoS settings: linux does not support configuration of maximum IOPs',
  ]),
]

const nofile = { Name: 'nofile', Soft: 512, Hard: 1024 }
const others: readonly Row[] = [
  hostShows('PidsLimit', 50, { [`${limits}.pids.limit`]: 50 }),
  shows(
    'HostConfig.Ulimits[].Name',
    'core',
    { 'spec.process.rlimits.0.type': 'RLIMIT_CORE' },
    host({ Ulimits: [nofile] }),
  ),
  refuses(
    'HostConfig.Ulimits[].Name',
    'nope',
    [
      500,
      'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: wrong rlimit value: RLIMIT_NOPE: unknown',
    ],
    host({ Ulimits: [nofile] }),
  ),
  shows('HostConfig.Ulimits[].Soft', 100, { 'spec.process.rlimits.0.soft': 100 }, host({ Ulimits: [nofile] })),
  shows('HostConfig.Ulimits[].Hard', 2048, { 'spec.process.rlimits.0.hard': 2048 }, host({ Ulimits: [nofile] })),
  hostShows('CgroupParent', '/parent', { 'inspect.HostConfig.CgroupParent': '/parent' }),
]

export const resourceRows: readonly Row[] = [...memory, ...processors, ...blockDevices, ...others]
