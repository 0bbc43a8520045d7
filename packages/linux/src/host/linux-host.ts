/** The Host port: facts, /proc, devices and small files. */
import { mkdirSync, statSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import type { Host, HostDescription, HostDevices, NetworkCounters, SourceMount } from '@dockerd-ts/core'
import { findDevices } from '../host-devices/find-devices.ts'
import { mountHolding, readMountTable } from '../mounts/mount-table.ts'
import { listProcesses } from '../processes/list-processes.ts'
import { networkCounters, openFileDescriptors, processStartTimeTicks, systemCpuNs } from '../processes/proc-files.ts'
import { describeHost, type HostDescriptionOptions } from './host-description.ts'
import { type OomVictim, oomVictim } from './oom-victim.ts'
import { readFileInRoot } from './read-file-in-root.ts'

export class LinuxHost implements Host {
  readonly #options: HostDescriptionOptions
  #description: HostDescription | undefined

  constructor(options: HostDescriptionOptions) {
    this.#options = options
  }

  async describe(): Promise<HostDescription> {
    this.#description ??= describeHost(this.#options)
    return this.#description
  }

  openFileDescriptors(): number {
    return openFileDescriptors()
  }

  processStartTimeTicks(pid: number): number | undefined {
    return processStartTimeTicks(pid)
  }

  systemCpuNs(): { totalNs: number; onlineCpus: number } {
    return systemCpuNs()
  }

  oomVictim(containerId: string): Promise<OomVictim | undefined> {
    return oomVictim(containerId)
  }

  networkCounters(pid: number): Record<string, NetworkCounters> {
    return networkCounters(pid)
  }

  listProcesses(psArguments: readonly string[]): Promise<string> {
    return listProcesses(psArguments)
  }

  pathKind(path: string): 'directory' | 'file' | 'other' | undefined {
    const status = statSync(path, { throwIfNoEntry: false })
    if (status === undefined) return undefined
    if (status.isDirectory()) return 'directory'
    return status.isFile() ? 'file' : 'other'
  }

  makeDirectory(path: string): void {
    mkdirSync(path, { recursive: true, mode: 0o755 })
  }

  async sourceMount(path: string): Promise<SourceMount> {
    const mount = mountHolding(await readMountTable(), await realpath(path))
    return { mountPoint: mount?.mountPoint ?? '/', shared: mount?.shared ?? false, slave: mount?.slave ?? false }
  }

  findDevices(hostConfig: Parameters<Host['findDevices']>[0]): Promise<HostDevices> {
    return findDevices(hostConfig)
  }

  async readFileInRoot(root: string, path: string, limitBytes: number): Promise<string | undefined> {
    return readFileInRoot(root, path, limitBytes)
  }
}
