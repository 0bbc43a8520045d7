import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readCgroupLayout } from './cgroup-layout.ts'
import { createCgroups } from './host-cgroups.ts'

const layout = readCgroupLayout()
const skip =
  process.getuid?.() === 0
    ? layout.version === '1' && layout.hierarchies.has('freezer')
      ? false
      : 'this host has no cgroup v1 freezer'
    : 'needs root'

t.test('groups of a real process on cgroup v1', { skip }, async (t) => {
  if (layout.version !== '1') return
  const cgroups = createCgroups({ layout, driver: 'cgroupfs', defaultParent: `/dockerd-ts-test-${process.pid}` })
  const id = 'c'.repeat(64)
  const child = spawn('sh', ['-c', 'while :; do sleep 0.05; done'], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
    await cgroups.remove(id)
    for (const directory of cgroups.directories('x')) await removeParent(directory)
  })
  const directories = cgroups.directories(id).filter((directory) => !directory.startsWith(`${layout.unified}/`))
  for (const directory of directories) {
    mkdirSync(directory, { recursive: true })
    if (directory.startsWith(`${layout.hierarchies.get('cpuset')}/`)) continue
    writeFileSync(join(directory, 'cgroup.procs'), String(child.pid))
  }

  await t.test('lists its processes', async (t) => {
    t.ok((await cgroups.processIds(id)).includes(child.pid ?? -1))
  })

  await t.test('freezes and thaws it', async (t) => {
    const state = () =>
      readFileSync(join(layout.hierarchies.get('freezer') ?? '', groupOf(id), 'freezer.state'), 'utf8')
    await cgroups.freeze(id)
    t.equal(state().trim(), 'FROZEN')
    await cgroups.thaw(id)
    t.equal(state().trim(), 'THAWED')
    await t.rejects(cgroups.freeze('d'.repeat(64)), { kind: 'notFound', message: /does not exist/ })
  })

  await t.test('counts what it uses', async (t) => {
    const statistics = await cgroups.statistics(id)
    t.ok(statistics.memory.usageBytes >= 0)
    t.ok(statistics.memory.limitBytes > 0, 'no limit is what the host has')
    t.ok(Number.isSafeInteger(statistics.memory.limitBytes))
    t.ok(statistics.pids.current >= 1)
    t.equal(statistics.cpu.perCpuNs?.reduce((sum, value) => sum + value, 0) === undefined, false)
    t.ok('cache' in statistics.memory.stats && !('swap' in statistics.memory.stats))
  })

  await t.test('changes limits while it runs, up and down', async (t) => {
    const file = (controller: string, name: string) =>
      readFileSync(join(layout.hierarchies.get(controller) ?? '', groupOf(id), `${controller}.${name}`), 'utf8').trim()
    const mebibytes = (count: number) => count * 2 ** 20
    for (const size of [64, 256, 32]) {
      await cgroups.update(id, { Memory: mebibytes(size), MemorySwap: mebibytes(size * 2) })
      t.equal(file('memory', 'limit_in_bytes'), String(mebibytes(size)))
    }
    await cgroups.update(id, { CpuShares: 512, PidsLimit: 20, CpuQuota: 20_000, CpuPeriod: 50_000 })
    await cgroups.update(id, { CpuQuota: 500_000, CpuPeriod: 1_000_000 })
    t.equal(file('cpu', 'shares'), '512')
    t.equal(file('cpu', 'cfs_period_us'), '1000000')
    t.equal(file('cpu', 'cfs_quota_us'), '500000')
    t.equal((await cgroups.statistics(id)).pids.limit, 20)
    await cgroups.update(id, { PidsLimit: -1 })
    t.equal((await cgroups.statistics(id)).pids.limit, undefined)
  })

  await t.test('kills what a dead container left behind, and removes its groups', async (t) => {
    await cgroups.remove(id)
    t.strictSame(
      directories.filter((directory) => existsSync(directory)),
      [],
    )
    await ended
    t.equal(child.signalCode, 'SIGKILL')
  })
})

const groupOf = (id: string) => join(`/dockerd-ts-test-${process.pid}`, id)

async function removeParent(directory: string): Promise<void> {
  const { rmdir } = await import('node:fs/promises')
  await rmdir(join(directory, '..')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
