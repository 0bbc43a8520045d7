/** The Cgroups port: the groups of containers on cgroup v1, hybrid and v2, with the cgroupfs or the systemd driver. */

import { existsSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { posix } from 'node:path'
import { type CgroupStatistics, type Cgroups, internal, notFound } from '@dockerd-ts/core'
import { runCommand } from '../command/run-command.ts'
import { applyLimits } from './apply-limits.ts'
import { type CgroupLayout, readCgroupLayout } from './cgroup-layout.ts'
import { type CgroupDriver, type CgroupPaths, cgroupPaths, groupDirectories } from './cgroup-paths.ts'
import { freezeGroup, thawGroup } from './freezer.ts'
import { groupProcessIds, removeGroup } from './group-processes.ts'
import { type LiveLimits, normalLimits, systemdProperties } from './live-limits.ts'
import { v1Statistics } from './v1-statistics.ts'
import { v2Statistics } from './v2-statistics.ts'

export interface HostCgroupsOptions {
  /** Default: systemd on v2 hosts that run it, else cgroupfs; dockerd's rule. */
  driver?: CgroupDriver
  /** The daemon's --cgroup-parent. */
  defaultParent?: string
  /** Read from /proc unless given. */
  layout?: CgroupLayout
  hostMemoryBytes?: number
}

export function createCgroups(options: HostCgroupsOptions = {}): HostCgroups {
  const layout = options.layout ?? readCgroupLayout()
  const driver = options.driver ?? defaultDriver(layout)
  const paths = cgroupPaths(driver, options.defaultParent)
  return new HostCgroups({ layout, driver, paths, hostMemoryBytes: options.hostMemoryBytes ?? totalmem() })
}

function defaultDriver(layout: CgroupLayout): CgroupDriver {
  return layout.version === '2' && existsSync('/run/systemd/system') ? 'systemd' : 'cgroupfs'
}

/**
 * On v2, crun puts a container into a group of this name below its systemd unit, and its limits there: so systemd cannot
 * take them back. runc sets them on the unit.
 */
const crunSubgroup = 'container'

async function setUnitProperties(unit: string, properties: readonly string[]): Promise<void> {
  if (properties.length === 0) return
  await runCommand(['systemctl', 'set-property', '--runtime', unit, ...properties], {
    timeoutMs: 10_000,
    maxOutputBytes: 65_536,
  })
}

interface Parts {
  layout: CgroupLayout
  driver: CgroupDriver
  paths: CgroupPaths
  hostMemoryBytes: number
}

export class HostCgroups implements Cgroups {
  readonly driver: CgroupDriver
  readonly version: '1' | '2'
  readonly controllers: ReadonlySet<string>
  readonly layout: CgroupLayout
  readonly #paths: CgroupPaths
  readonly #hostMemoryBytes: number

  constructor({ layout, driver, paths, hostMemoryBytes }: Parts) {
    this.layout = layout
    this.driver = driver
    this.version = layout.version
    this.controllers = layout.version === '2' ? layout.controllers : new Set(layout.hierarchies.keys())
    this.#paths = paths
    this.#hostMemoryBytes = hostMemoryBytes
  }

  specPath(containerId: string, parent?: string): string {
    return this.#paths.specPath({ containerId, parent })
  }

  directories(containerId: string, parent?: string): string[] {
    const groupPath = this.#groupPath(containerId, parent)
    const directories = groupDirectories(this.layout, groupPath)
    if (!this.#mayHaveSubgroup) return directories
    return [...groupDirectories(this.layout, posix.join(groupPath, crunSubgroup)), ...directories]
  }

  async freeze(containerId: string, parent?: string): Promise<void> {
    await freezeGroup(this.layout, this.#groupPath(containerId, parent))
  }

  async thaw(containerId: string, parent?: string): Promise<void> {
    await thawGroup(this.layout, this.#groupPath(containerId, parent))
  }

  processIds(containerId: string, parent?: string): Promise<number[]> {
    return groupProcessIds(this.#processDirectory(containerId, parent))
  }

  async statistics(containerId: string, parent?: string): Promise<CgroupStatistics> {
    const groupPath = this.#groupPath(containerId, parent)
    await access(this.#processDirectory(containerId, parent)).catch((error: unknown) => {
      throw notFound(`the cgroup ${groupPath} does not exist`, error)
    })
    return this.layout.version === '2'
      ? v2Statistics(posix.join(this.layout.root, this.#limitedPath(groupPath)), this.#hostMemoryBytes)
      : v1Statistics(this.layout, groupPath, this.#hostMemoryBytes)
  }

  async update(containerId: string, limits: LiveLimits, parent?: string): Promise<void> {
    const normal = normalLimits(limits)
    const groupPath = this.#groupPath(containerId, parent)
    const limitedPath = this.#limitedPath(groupPath)
    // What lies below the unit's own group is delegated: systemd leaves it alone.
    if (this.driver === 'systemd' && limitedPath === groupPath) {
      await setUnitProperties(posix.basename(groupPath), systemdProperties(normal, this.version))
    }
    await applyLimits(this.layout, limitedPath, normal)
  }

  async remove(containerId: string, parent?: string): Promise<void> {
    const directories = groupDirectories(this.layout, this.#groupPath(containerId, parent))
    const results = await Promise.allSettled(directories.map(removeGroup))
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, `cgroups of ${containerId} could not be removed`)
  }

  #groupPath(containerId: string, parent: string | undefined): string {
    // Without an id the path would be the parent of all containers.
    if (!/^[\w.-]*\w[\w.-]*$/.test(containerId)) throw internal(`no container id: ${JSON.stringify(containerId)}`)
    return this.#paths.relativePath({ containerId, parent })
  }

  get #mayHaveSubgroup(): boolean {
    return this.driver === 'systemd' && this.layout.version === '2'
  }

  /** The group that has the container's limits. */
  #limitedPath(groupPath: string): string {
    if (!this.#mayHaveSubgroup || this.layout.version !== '2') return groupPath
    const subgroup = posix.join(groupPath, crunSubgroup)
    return existsSync(posix.join(this.layout.root, subgroup, 'cgroup.procs')) ? subgroup : groupPath
  }

  /** Where the processes are listed: on v1 the runtimes enter every hierarchy, so any of these has them all. */
  #processDirectory(containerId: string, parent: string | undefined): string {
    const groupPath = this.#groupPath(containerId, parent)
    if (this.layout.version === '2') return posix.join(this.layout.root, groupPath)
    const { hierarchies } = this.layout
    const mount = ['freezer', 'pids', 'devices', 'memory', 'cpu']
      .map((controller) => hierarchies.get(controller))
      .find((path) => path !== undefined)
    return posix.join(mount ?? [...hierarchies.values()][0] ?? '', groupPath)
  }
}
