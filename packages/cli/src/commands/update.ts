/** `update`: changes limits and the restart policy of containers. */
import { atLeast, defineCommand } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { bytes, resourceFlags } from '../options/container-flags.ts'
import { restartPolicy } from '../options/create-body.ts'
import { int, string } from '../options/flags.ts'
import { containerPath, forEach } from './shared.ts'

/** What `update` cannot change goes along empty, as the API's type demands. */
const UNCHANGED = {
  CgroupParent: '',
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
} as const

export default defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Change limits and restart policy of containers',
  aliases: ['docker container update', 'docker update'],
  args: atLeast(1),
  flags: {
    ...resourceFlags,
    'kernel-memory': bytes('', 'Accepted for compatibility', { hidden: true }),
    'pids-limit': int('', 'Limit on processes (-1 for none)'),
    restart: string('', 'What to do when the container exits'),
  },
  async run({ cli, args, flags, given }) {
    const names = Object.keys(flags) as (keyof typeof flags)[]
    if (!names.some((name) => given(name)))
      throw new ExitError(1, 'you must provide one or more flags when using this command')
    const body = {
      ...UNCHANGED,
      BlkioWeight: flags['blkio-weight'],
      CpuShares: flags['cpu-shares'],
      Memory: flags.memory,
      MemoryReservation: flags['memory-reservation'],
      MemorySwap: flags['memory-swap'],
      CpuPeriod: flags['cpu-period'],
      CpuQuota: flags['cpu-quota'],
      CpuRealtimePeriod: flags['cpu-rt-period'],
      CpuRealtimeRuntime: flags['cpu-rt-runtime'],
      CpusetCpus: flags['cpuset-cpus'],
      CpusetMems: flags['cpuset-mems'],
      NanoCpus: flags.cpus,
      ...(given('pids-limit') ? { PidsLimit: flags['pids-limit'] } : {}),
      RestartPolicy: flags.restart === '' ? { Name: '', MaximumRetryCount: 0 } : restartPolicy(flags.restart),
    }
    const warnings: string[] = []
    const update = async (name: string) => {
      const answer = await (await cli.api()).json<{ Warnings: string[] | null }>(
        'POST',
        `${containerPath(name)}/update`,
        { json: body },
      )
      warnings.push(...(answer.Warnings ?? []))
    }
    try {
      await forEach(cli, args, update)
    } finally {
      if (warnings.length > 0) cli.out(`${warnings.join('\n')}\n`)
    }
  },
})
