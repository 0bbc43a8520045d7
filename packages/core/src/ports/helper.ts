/**
 * The host helper: one small C process per daemon that makes the system calls Node cannot make without blocking its
 * event loop. Every request is idempotent: what is already there (mount, namespace, route) or already gone counts as
 * done, so after a crash of the helper or the daemon the same request is simply sent again.
 */
export interface HostHelper {
  /** mount(2). `workingDirectory` lets overlay options use short relative lower paths (one page holds all options). */
  mount(request: MountRequest): Promise<void>
  /** umount2(2); `detach` is MNT_DETACH. A target that is no mount point counts as done. */
  unmount(target: string, options?: { detach?: boolean }): Promise<void>
  /** Makes a network namespace bound at `path`, loopback up, and where asked one veth pair into a bridge. */
  createNetworkNamespace(request: NetworkNamespaceRequest): Promise<void>
  /** Adds one more interface to a namespace that exists (network connect). */
  addInterface(namespacePath: string, veth: VethRequest): Promise<void>
  removeInterface(namespacePath: string, interfaceName: string): Promise<void>
  /** Unmounts and unlinks the namespace file; the kernel removes its links later (never RTM_DELLINK: it waits for RCU). */
  deleteNetworkNamespace(path: string): Promise<void>
  /** Adds and deletes elements of nftables maps and sets in one atomic netlink transaction. */
  changeNftElements(changes: readonly NftElementChange[]): Promise<void>
  /** Starts a monitor and answers its pid; the monitor is no child of the daemon and survives it. */
  spawnMonitor(request: SpawnRequest): Promise<{ pid: number }>
  /**
   * Copies a program into a sealed memfd held by the helper (crun then skips its own copy), remade when the file
   * changes. Answers a path that can be executed while the helper lives.
   */
  sealProgram(path: string): Promise<{ path: string }>
  /**
   * Opens `path` inside `root` with RESOLVE_IN_ROOT, never leaving it whatever links a container makes. The answer is a
   * path to the opened file itself (`/proc/<helper>/fd/N`), valid until `release`; it can be opened, listed, bound. What
   * is created belongs to root, or with `idMap` to the first id of the map.
   */
  resolveInRoot(request: {
    root: string
    path: string
    followLast: boolean
    create?: 'directory' | 'file'
    idMap?: string
  }): Promise<{ path: string; release(): Promise<void> }>
  /** Removes a directory tree without following links or crossing mounts; already gone counts as done. */
  removeTree(path: string): Promise<void>
  /**
   * Sends one datagram to a Unix socket, `@name` in the abstract namespace. Rejects with EAGAIN when the receiver's queue
   * is full.
   */
  sendDatagram(path: string, bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

export interface MountRequest {
  source: string
  target: string
  fsType?: string
  /** MS_* names in lower case without the prefix, e.g. `bind`, `rec`, `rdonly`, `private`, `slave`, `nosuid`. */
  flags?: readonly string[]
  data?: string
  workingDirectory?: string
  /** Binds `source`, without what is mounted below it, with the ids of its files mapped. */
  idMap?: string
}

export interface NetworkNamespaceRequest {
  path: string
  /** The namespace belongs to this user namespace: with `idMap` a new one that is bound there. */
  userNamespace?: { path: string; idMap?: string }
  veth?: VethRequest
  /** net.* sysctls written inside the namespace before anything runs in it. */
  sysctls?: Readonly<Record<string, string>>
}

export interface VethRequest {
  /** Unique per start: the name of a dying predecessor stays taken for some tens of milliseconds. */
  hostName: string
  bridge: string
  containerName: string
  mac: string
  mtu?: number
  /** Frames may leave by the port they came in by: needed to reach one's own published port under br_netfilter. */
  hairpin?: boolean
  /** Other isolated ports of the bridge are not reached; the bridge itself is. */
  isolated?: boolean
  addresses: readonly { address: string; prefixLength: number }[]
  gateways: readonly string[]
}

export interface NftElementChange {
  action: 'add' | 'delete'
  family: 'ip' | 'ip6' | 'inet'
  table: string
  /** A map when `value` is given, else a set. */
  set: string
  /** Concatenated key fields in order, as raw bytes; each is padded to four bytes on the wire. */
  key: readonly Uint8Array[]
  value?: readonly Uint8Array[]
}

export interface SpawnRequest {
  /** Arguments of the monitor program after its own name. */
  arguments: readonly string[]
  environment?: Readonly<Record<string, string>>
  /** Unix socket that the helper makes (0600), listens on and hands over: it can be connected to at once. */
  socketPath: string
}
