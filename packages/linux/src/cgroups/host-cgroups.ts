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
    return groupDirectories(this.layout, this.#groupPath(containerId, parent))
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
      ? v2Statistics(posix.join(this.layout.root, groupPath), this.#hostMemoryBytes)
      : v1Statistics(this.layout, groupPath, this.#hostMemoryBytes)
  }

  async update(containerId: string, limits: LiveLimits, parent?: string): Promise<void> {
    const normal = normalLimits(limits)
    const groupPath = this.#groupPath(containerId, parent)
    const properties = this.driver === 'systemd' ? systemdProperties(normal, this.version) : []
    if (properties.length > 0) {
      await runCommand(['systemctl', 'set-property', '--runtime', posix.basename(groupPath), ...properties], {
        timeoutMs: 10_000,
        maxOutputBytes: 65_536,
      })
    }
    await applyLimits(this.layout, groupPath, normal)
  }

  async remove(containerId: string, parent?: string): Promise<void> {
    const results = await Promise.allSettled(this.directories(containerId, parent).map(removeGroup))
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, `cgroups of ${containerId} could not be removed`)
  }

  #groupPath(containerId: string, parent: string | undefined): string {
    // Without an id the path would be the parent of all containers.
    if (!/^[\w.-]*\w[\w.-]*$/.test(containerId)) throw internal(`no container id: ${JSON.stringify(containerId)}`)
    return this.#paths.relativePath({ containerId, parent })
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
