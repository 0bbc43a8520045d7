/** Writes live limits into a container's groups. */
import { access } from 'node:fs/promises'
import { posix } from 'node:path'
import { internal, notFound } from '@dockerd-ts/core'
import type { CgroupLayout, CgroupV1Layout, CgroupV2Layout } from './cgroup-layout.ts'
import { isGone, readGroupFile, readGroupNumber, writeGroupFile } from './group-files.ts'
import { type NormalLimits, type V1Write, v1Writes, v2Writes } from './live-limits.ts'

/** Throws internal with the file and the kernel's answer; notFound when the group is gone. */
export async function applyLimits(layout: CgroupLayout, groupPath: string, limits: NormalLimits): Promise<void> {
  if (layout.version === '2') await applyV2(layout, groupPath, limits)
  else await applyV1(layout, groupPath, limits)
}

async function applyV2(layout: CgroupV2Layout, groupPath: string, limits: NormalLimits): Promise<void> {
  const directory = posix.join(layout.root, groupPath)
  const [memory, cpuMax, bfq] = await Promise.all([
    readGroupNumber(posix.join(directory, 'memory.max')),
    readGroupFile(posix.join(directory, 'cpu.max')),
    exists(posix.join(directory, 'io.bfq.weight')),
  ])
  const [quota, period] = (cpuMax ?? '').trim().split(' ')
  const current = {
    bfq,
    ...(memory !== undefined && { memory }),
    ...(quota && quota !== 'max' && { cpuQuota: Number(quota) }),
    ...(period && { cpuPeriod: Number(period) }),
  }
  for (const [file, value] of v2Writes(limits, current)) await write(posix.join(directory, file), value)
}

async function applyV1(layout: CgroupV1Layout, groupPath: string, limits: NormalLimits): Promise<void> {
  const pathOf = ({ controller, file }: Pick<V1Write, 'controller' | 'file'>) => {
    const mount = layout.hierarchies.get(controller)
    if (mount === undefined) throw internal(`the host has no ${controller} cgroup`)
    return posix.join(mount, groupPath, file)
  }
  const memorySwap = layout.hierarchies.has('memory')
    ? await readGroupNumber(pathOf({ controller: 'memory', file: 'memory.memsw.limit_in_bytes' }))
    : undefined
  const refused: V1Write[] = []
  for (const change of v1Writes(limits, memorySwap === undefined ? {} : { memorySwap })) {
    // Period and quota bound each other too: a period that does not fit the old quota is tried again after it.
    const retried = change.file === 'cpu.cfs_period_us' && limits.cpuQuota !== undefined
    if (!(await write(pathOf(change), change.value, retried))) refused.push(change)
  }
  for (const change of refused) await write(pathOf(change), change.value)
}

/** False: the value did not fit and `mayNotFit` says that this is no failure yet. */
async function write(path: string, value: string, mayNotFit = false): Promise<boolean> {
  try {
    await writeGroupFile(path, value)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (mayNotFit && code === 'EINVAL') return false
    if (isGone(error) && !(await exists(posix.dirname(path)))) {
      throw notFound(`the cgroup ${posix.dirname(path)} does not exist`, error)
    }
    throw internal(`failed to write ${JSON.stringify(value)} to ${path}: ${code}`, error)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
