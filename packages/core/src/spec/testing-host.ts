/** A host for the tests of this directory: the one on which the fixtures were recorded (2 processors, cgroup v1). */
import { kernelCapabilities } from './capabilities.ts'
import type { CgroupFacts, HostFacts } from './host-facts.ts'

export const cgroupV1: CgroupFacts = {
  version: '1',
  driver: 'cgroupfs',
  memoryLimit: true,
  swapLimit: true,
  memoryReservation: true,
  memorySwappiness: true,
  oomKillDisable: true,
  cpuShares: true,
  cpuCfs: true,
  cpuRealtime: true,
  cpuset: true,
  pidsLimit: true,
  blkioWeight: false,
  blkioWeightDevice: false,
  blkioReadBps: true,
  blkioWriteBps: true,
  blkioReadIops: true,
  blkioWriteIops: true,
  devices: true,
  namespaces: true,
}

export const recordedHost: HostFacts = {
  architecture: 'amd64',
  kernelVersion: '6.18.44',
  hostname: 'vm',
  cgroup: cgroupV1,
  onlineCpus: '0-1',
  cpuCount: 2,
  memoryNodes: '0',
  seccompAvailable: true,
  apparmorAvailable: false,
  selinuxAvailable: false,
  capabilities: kernelCapabilities.filter((name) => name !== 'CAP_SYS_RESOURCE'),
  recursiveReadonlyMounts: true,
  ipv4Forwarding: true,
  initPath: '/usr/bin/docker-init',
}
