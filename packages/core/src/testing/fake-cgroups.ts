/** Cgroups in memory. */
import type { CgroupStatistics, Cgroups } from '../ports/runtime.ts'
import { call, type FakeHostState } from './fake-host-state.ts'

export const fakeStatistics = (): CgroupStatistics => ({
  cpu: { totalNs: 5_000_000, userNs: 3_000_000, systemNs: 2_000_000, periods: 0, throttledPeriods: 0, throttledNs: 0 },
  memory: { usageBytes: 4096, limitBytes: 8192, stats: { inactive_file: 10 } },
  pids: { current: 1 },
  blkio: { serviceBytes: [{ major: 8, minor: 0, op: 'read', value: 7 }], serviced: [] },
})

export function fakeCgroups(state: FakeHostState): Cgroups {
  return {
    driver: 'cgroupfs',
    version: '2',
    controllers: new Set(['cpu', 'memory', 'pids']),
    specPath: (id) => `/docker/${id}`,
    directories: (id) => [`/sys/fs/cgroup/docker/${id}`],
    freeze: async (id) => {
      call(state, 'cgroups.freeze', id)
      state.frozen.add(id)
    },
    thaw: async (id) => {
      call(state, 'cgroups.thaw', id)
      state.frozen.delete(id)
    },
    processIds: async () => state.processIds,
    statistics: async () => fakeStatistics(),
    update: async (id, limits) => {
      call(state, 'cgroups.update', id)
      state.limits.set(id, limits)
    },
    remove: async (id) => call(state, 'cgroups.remove', id),
  }
}
