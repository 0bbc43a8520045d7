/** What the rules of this directory need to know about the host; read once at start by the linux package. */

export interface HostFacts {
  /** Go's name, e.g. `amd64`. */
  architecture: string
  /** As uname shows it. */
  kernelVersion: string
  hostname: string
  cgroup: CgroupFacts
  /** Processors that are online, as a list such as `0-3`, and how many they are. */
  onlineCpus: string
  cpuCount: number
  /** Memory nodes, as a list such as `0`. */
  memoryNodes: string
  seccompAvailable: boolean
  apparmorAvailable: boolean
  /** The profile of containers that name none, where it is loaded into the kernel. */
  apparmorDefaultProfile?: string
  selinuxAvailable: boolean
  /** Names in the daemon's bounding set, by number. */
  capabilities: readonly string[]
  /** mount_setattr with AT_RECURSIVE: Linux 5.12. */
  recursiveReadonlyMounts: boolean
  /** False: `net.ipv4.ip_forward` is 0. */
  ipv4Forwarding: boolean
  /**
   * Set when the daemon lacks CAP_SYS_RESOURCE: lower values of oom_score_adj and hard limits above these are refused
   * by the kernel, so containers start with what is allowed, and create warns.
   */
  withoutSysResource?: { oomScoreAdj: number; hardLimits: Readonly<Record<string, number>> }
  /** docker-init or tini on the host. */
  initPath?: string
}

/** Which limits the host's cgroups can enforce. */
export interface CgroupFacts {
  version: '1' | '2'
  driver: 'cgroupfs' | 'systemd' | 'none'
  memoryLimit: boolean
  swapLimit: boolean
  memoryReservation: boolean
  memorySwappiness: boolean
  oomKillDisable: boolean
  cpuShares: boolean
  cpuCfs: boolean
  cpuRealtime: boolean
  cpuset: boolean
  pidsLimit: boolean
  blkioWeight: boolean
  blkioWeightDevice: boolean
  blkioReadBps: boolean
  blkioWriteBps: boolean
  blkioReadIops: boolean
  blkioWriteIops: boolean
  devices: boolean
  namespaces: boolean
}
