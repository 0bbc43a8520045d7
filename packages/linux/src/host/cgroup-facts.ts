/** Which limits the host's cgroups can enforce, by what the kernel shows in its hierarchies. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CgroupFacts } from '@dockerd-ts/core'
import type { CgroupLayout, CgroupV1Layout, CgroupV2Layout } from '../cgroups/cgroup-layout.ts'

export function readCgroupFacts(layout: CgroupLayout, driver: CgroupFacts['driver']): CgroupFacts {
  const namespaces = existsSync('/proc/self/ns/cgroup')
  const facts = layout.version === '2' ? v2Facts(layout) : v1Facts(layout)
  return { version: layout.version, driver, namespaces, ...facts }
}

type Limits = Omit<CgroupFacts, 'version' | 'driver' | 'namespaces'>

function v1Facts({ hierarchies }: CgroupV1Layout): Limits {
  const has = (controller: string, file: string) => {
    const mount = hierarchies.get(controller)
    return mount !== undefined && existsSync(join(mount, `${controller}.${file}`))
  }
  return {
    memoryLimit: hierarchies.has('memory'),
    swapLimit: has('memory', 'memsw.limit_in_bytes'),
    memoryReservation: has('memory', 'soft_limit_in_bytes'),
    memorySwappiness: has('memory', 'swappiness'),
    oomKillDisable: has('memory', 'oom_control'),
    cpuShares: has('cpu', 'shares'),
    cpuCfs: has('cpu', 'cfs_quota_us'),
    cpuRealtime: has('cpu', 'rt_period_us'),
    cpuset: hierarchies.has('cpuset'),
    pidsLimit: hierarchies.has('pids'),
    blkioWeight: has('blkio', 'weight'),
    blkioWeightDevice: has('blkio', 'weight_device'),
    blkioReadBps: has('blkio', 'throttle.read_bps_device'),
    blkioWriteBps: has('blkio', 'throttle.write_bps_device'),
    blkioReadIops: has('blkio', 'throttle.read_iops_device'),
    blkioWriteIops: has('blkio', 'throttle.write_iops_device'),
    devices: hierarchies.has('devices'),
  }
}

function v2Facts(layout: CgroupV2Layout): Limits {
  const { controllers } = layout
  const memory = controllers.has('memory')
  const cpu = controllers.has('cpu')
  const io = controllers.has('io')
  return {
    memoryLimit: memory,
    swapLimit: memory && countsSwap(layout),
    memoryReservation: memory,
    memorySwappiness: false,
    oomKillDisable: false,
    cpuShares: cpu,
    cpuCfs: cpu,
    cpuRealtime: false,
    cpuset: controllers.has('cpuset'),
    pidsLimit: controllers.has('pids'),
    blkioWeight: io,
    blkioWeightDevice: io,
    blkioReadBps: io,
    blkioWriteBps: io,
    blkioReadIops: io,
    blkioWriteIops: io,
    // Device rules are programs of the runtime's here, not a controller.
    devices: true,
  }
}

/** The root group has no memory files: some group below it tells. Kernels count swap unless told not to at boot. */
function countsSwap({ root }: CgroupV2Layout): boolean {
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/'
  const groups = [own, '/init.scope', '/system.slice', '/user.slice'].map((group) => join(root, group))
  const telling = groups.find((group) => existsSync(join(group, 'memory.max')))
  return telling === undefined || existsSync(join(telling, 'memory.swap.max'))
}
