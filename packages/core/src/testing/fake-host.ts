/** A host as it describes itself, with its files, processes and devices. */
import type * as wire from '@dockerd-ts/api'
import { internal } from '../errors/engine-error.ts'
import type { Host, HostDescription } from '../ports/host.ts'
import { defaultCapabilities, type HostDevices } from '../spec/index.ts'
import type { FakeHostState } from './fake-host-state.ts'

export function fakeHost(state: FakeHostState): Host {
  return {
    describe: async () => fakeHostDescription(state),
    openFileDescriptors: () => 20,
    processStartTimeTicks: () => undefined,
    systemCpuNs: () => ({ totalNs: 1_000_000_000, onlineCpus: 2 }),
    networkCounters: () => ({
      eth0: {
        rxBytes: 1,
        rxPackets: 2,
        rxErrors: 0,
        rxDropped: 0,
        txBytes: 3,
        txPackets: 4,
        txErrors: 0,
        txDropped: 0,
      },
    }),
    listProcesses: async () => state.psOutput,
    pathKind: (path) => state.paths.get(path),
    makeDirectory: (path) => void state.paths.set(path, 'directory'),
    sourceMount: async () => ({ mountPoint: '/', shared: true, slave: false }),
    findDevices: async (hostConfig) => findDevices(state, hostConfig),
    oomVictim: async () => ({ pid: 42, name: 'hog' }),
    readFileInRoot: async (_root, path) => state.rootFiles.get(path),
  }
}

function findDevices({ deviceNumbers }: FakeHostState, hostConfig: wire.HostConfig): HostDevices {
  const numbers = (path: string) => {
    const found = deviceNumbers.get(path)
    if (found === undefined) throw internal(`no device ${path}`)
    return found
  }
  const devices = (hostConfig.Devices ?? []).map(({ PathOnHost: path = '', PathInContainer, CgroupPermissions }) => ({
    path: PathInContainer || path,
    ...numbers(path),
    fileMode: 0o666,
    uid: 0,
    gid: 0,
    access: CgroupPermissions || 'rwm',
  }))
  const limited = [
    hostConfig.BlkioWeightDevice,
    hostConfig.BlkioDeviceReadBps,
    hostConfig.BlkioDeviceWriteBps,
    hostConfig.BlkioDeviceReadIOps,
    hostConfig.BlkioDeviceWriteIOps,
  ].flatMap((entries) => (entries ?? []).map(({ Path: path = '' }) => path))
  return { devices, blockDevices: new Map(limited.map((path) => [path, numbers(path)])) }
}

export function fakeHostDescription(state: FakeHostState): HostDescription {
  return {
    architecture: 'amd64',
    machine: 'x86_64',
    kernelVersion: '6.1.0',
    hostname: 'host.example',
    operatingSystem: 'Debian GNU/Linux 12 (bookworm)',
    osVersion: '12',
    cgroup: {
      version: '2',
      driver: 'cgroupfs',
      memoryLimit: true,
      swapLimit: true,
      memoryReservation: true,
      memorySwappiness: false,
      oomKillDisable: false,
      cpuShares: true,
      cpuCfs: true,
      cpuRealtime: false,
      cpuset: true,
      pidsLimit: true,
      blkioWeight: true,
      blkioWeightDevice: true,
      blkioReadBps: true,
      blkioWriteBps: true,
      blkioReadIops: true,
      blkioWriteIops: true,
      devices: true,
      namespaces: true,
    },
    onlineCpus: '0-1',
    cpuCount: 2,
    memoryNodes: '0',
    memoryBytes: 8 * 1024 ** 3,
    seccompAvailable: true,
    apparmorAvailable: false,
    selinuxAvailable: false,
    capabilities: defaultCapabilities,
    recursiveReadonlyMounts: true,
    ipv4Forwarding: true,
    bootId: state.bootId,
    storageStatus: [['Backing Filesystem', 'extfs']],
    proxies: { http: '', https: '', no: '' },
    ...state.description,
  }
}
