/** The ports around a container's run (files, root filesystems, networks, cgroups, host) in memory. */
import type * as wire from '@dockerd-ts/api'
import { internal, notFound } from '../errors/engine-error.ts'
import type { ContainerFiles, Host, HostDescription } from '../ports/host.ts'
import type { CommitRequest, ImageCatalog, ImageSummary, ImageUsage } from '../ports/images.ts'
import type {
  ContainerNetworks,
  EndpointRow,
  NameFiles,
  NameFilesRequest,
  NetworkRow,
  SetUpRequest,
} from '../ports/networks.ts'
import type { CgroupStatistics, Cgroups, Runtimes } from '../ports/runtime.ts'
import type { LogQuery, LogRecord, Logs, RootFilesystems } from '../ports/storage.ts'
import { defaultCapabilities, type HostDevices, type OciSpec } from '../spec/index.ts'
import { frame } from '../support/frames.ts'
import { rfc3339FixedNano } from '../support/go-time.ts'

/** Everything that exists on the pretended host; it outlives a daemon. */
export interface FakeHostState {
  /** `what id` in the order of the calls, for tests of order. */
  readonly calls: string[]
  readonly rootFilesystems: Set<string>
  readonly mounted: Set<string>
  readonly data: Set<string>
  /** Removed containers of which a log is kept. */
  readonly kept: Set<string>
  readonly runs: Map<string, OciSpec | undefined>
  readonly execDirectories: Set<string>
  readonly endpoints: Map<string, EndpointRow[]>
  readonly frozen: Set<string>
  readonly logs: Map<string, LogRecord[]>
  /** Log path → how many records were sent on. */
  readonly deliveredRecords: Map<string, number>
  readonly paths: Map<string, 'directory' | 'file' | 'other'>
  /** Text of files in every container's root. */
  readonly rootFiles: Map<string, string>
  readonly limits: Map<string, Record<string, number | string | undefined>>
  /** Method names whose next call fails with this error. */
  readonly failures: Map<string, Error>
  bootId: string
  psOutput: string
  processIds: number[]
  /** Where the host is another one than usual. */
  description: Partial<HostDescription>
  /** Devices by path; options that name another find nothing. */
  readonly deviceNumbers: Map<string, { type: 'c' | 'b'; major: number; minor: number }>
  /** What the files of names were to say, in the order of the starts. */
  readonly nameFiles: NameFilesRequest[]
}

export function fakeHostState(): FakeHostState {
  return {
    calls: [],
    rootFilesystems: new Set(),
    mounted: new Set(),
    data: new Set(),
    kept: new Set(),
    runs: new Map(),
    execDirectories: new Set(),
    endpoints: new Map(),
    frozen: new Set(),
    logs: new Map(),
    deliveredRecords: new Map(),
    paths: new Map([['/tmp', 'directory']]),
    rootFiles: new Map([
      ['/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n'],
      ['/etc/group', 'root:x:0:\nbob:x:1000:\n'],
    ]),
    limits: new Map(),
    failures: new Map(),
    bootId: 'boot-1',
    psOutput: '',
    processIds: [],
    description: {},
    deviceNumbers: new Map([
      ['/dev/zero', { type: 'c', major: 1, minor: 5 }],
      ['/dev/full', { type: 'c', major: 1, minor: 7 }],
      ['/dev/sda', { type: 'b', major: 8, minor: 0 }],
    ]),
    nameFiles: [],
  }
}

/** Notes the call, and throws what the test has planned for it. */
function call(state: FakeHostState, name: string, id: string): void {
  state.calls.push(`${name} ${id}`)
  const failure = state.failures.get(name)
  state.failures.delete(name)
  if (failure !== undefined) throw failure
}

export function fakeRootFilesystems(state: FakeHostState): RootFilesystems {
  return {
    create: async (id) => {
      call(state, 'rootfs.create', id)
      state.rootFilesystems.add(id)
    },
    mount: async (id) => {
      call(state, 'rootfs.mount', id)
      if (!state.rootFilesystems.has(id)) throw new Error(`no root filesystem ${id}`)
      state.mounted.add(id)
      return `/merged/${id}`
    },
    imageMountPoint: (id, { destination }) => `/data/containers/${id}/images${destination}`,
    mountImage: async (id, { destination, subpath }) => {
      call(state, 'rootfs.mountImage', id)
      const path = `/data/containers/${id}/images${destination}`
      const shown = subpath ? `${path}/${subpath}` : path
      state.paths.set(shown, 'directory')
      return shown
    },
    unmountImages: async (id) => call(state, 'rootfs.unmountImages', id),
    unmount: async (id) => {
      call(state, 'rootfs.unmount', id)
      state.mounted.delete(id)
    },
    use: async (id, work) => {
      if (!state.rootFilesystems.has(id)) throw new Error(`no root filesystem ${id}`)
      return work(`/merged/${id}`)
    },
    upperDirectory: (id) => `/data/containers/${id}/upper`,
    remove: async (id) => {
      call(state, 'rootfs.remove', id)
      state.mounted.delete(id)
      state.rootFilesystems.delete(id)
    },
    describe: async (id) => ({ UpperDir: `/data/${id}/upper`, MergedDir: `/data/${id}/merged` }),
    writableSizeBytes: async () => 100,
    changes: async () => [{ path: '/new', kind: 'added' }],
    existing: async (isKnown) => ({
      unknown: [...new Set([...state.rootFilesystems, ...state.mounted])].filter((id) => !isKnown(id)),
      mounted: [...state.mounted].filter(isKnown),
    }),
  }
}

export function fakeContainerFiles(state: FakeHostState): ContainerFiles {
  const dataDirectory = (id: string) => `/data/containers/${id}`
  const runDirectory = (id: string) => `/run/c/${id}`
  const execDirectory = (id: string) => `/run/x/${id}`
  return {
    dataDirectory,
    runDirectory,
    execDirectory,
    logPath: (id) => `${dataDirectory(id)}/${id}-json.log`,
    createData: (id) => void state.data.add(id),
    prepareRun: (id) => {
      call(state, 'files.prepareRun', id)
      state.runs.set(runDirectory(id), undefined)
      return runDirectory(id)
    },
    writeSpec: (id, spec) => {
      call(state, 'files.writeSpec', id)
      state.runs.set(runDirectory(id), JSON.parse(JSON.stringify(spec)))
    },
    readSpec: async (id) => state.runs.get(runDirectory(id)),
    mountSharedMemory: async (id) => {
      call(state, 'files.mountSharedMemory', id)
      return `${dataDirectory(id)}/shm`
    },
    sharedMemoryPath: (id) => `${dataDirectory(id)}/shm`,
    unmountSharedMemory: async (id) => call(state, 'files.unmountSharedMemory', id),
    prepareExec: (id) => {
      state.execDirectories.add(execDirectory(id))
      return `${execDirectory(id)}/process.json`
    },
    removeRun: async (id) => {
      call(state, 'files.removeRun', id)
      state.runs.delete(runDirectory(id))
    },
    removeExec: async (id) => void state.execDirectories.delete(execDirectory(id)),
    removeData: async (id) => void state.data.delete(id),
    keptLogPath: (id) => `/data/removed/${id}/${id}-json.log`,
    keepLog: async (id, limitBytes) => {
      call(state, 'files.keepLog', id)
      const path = `${dataDirectory(id)}/${id}-json.log`
      const bytes = (state.logs.get(path) ?? []).reduce((sum, { line }) => sum + line.length, 0)
      const moved = bytes <= limitBytes ? state.logs.get(path) : undefined
      if (moved !== undefined) state.logs.set(`/data/removed/${id}/${id}-json.log`, moved)
      state.logs.delete(path)
      state.kept.add(id)
      return (state.logs.get(`/data/removed/${id}/${id}-json.log`) ?? []).reduce(
        (sum, { line }) => sum + line.length,
        0,
      )
    },
    removeKept: async (id) => {
      state.kept.delete(id)
      state.logs.delete(`/data/removed/${id}/${id}-json.log`)
    },
    removeDirectory: async (path) => {
      state.runs.delete(path)
      state.execDirectories.delete(path)
    },
    existing: () => ({
      dataIds: [...state.data],
      keptIds: [...state.kept],
      runDirectories: [...state.runs.keys()],
      execDirectories: [...state.execDirectories],
    }),
  }
}

const builtIn = (name: string, driver: string): NetworkRow => ({
  id: name.padEnd(64, '0'),
  name,
  driver,
  scope: 'local',
  createdAtNs: '1',
  internal: false,
  attachable: false,
  ingress: false,
  enableIPv4: true,
  enableIPv6: false,
  ipam: { driver: 'default', options: {}, config: [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }] },
  options: {},
  labels: {},
})

export interface FakeNetworks extends ContainerNetworks {
  readonly requests: SetUpRequest[]
}

export function fakeNetworks(state: FakeHostState): FakeNetworks {
  const networks = [builtIn('bridge', 'bridge'), builtIn('host', 'host'), builtIn('none', 'null')]
  const requests: SetUpRequest[] = []
  let lastOctet = 1
  const resolve = (reference: string): NetworkRow => {
    const name = reference === 'default' ? 'bridge' : reference
    const found = networks.find((network) => network.name === name || network.id.startsWith(name))
    if (found === undefined) throw notFound(`network ${reference} not found`)
    return found
  }
  return {
    requests,
    resolve,
    list: () => networks,
    setUp: async (request) => {
      call(state, 'network.setUp', request.containerId)
      requests.push(request)
      const namespacePath = `/run/netns/${request.containerId}`
      const endpoints = request.endpoints.map((plan): EndpointRow => {
        const network = resolve(plan.network)
        lastOctet += 1
        return {
          endpointId: `e${lastOctet}`.padEnd(64, '0'),
          networkId: network.id,
          containerId: request.containerId,
          namespacePath,
          hostInterface: `veth${lastOctet}`,
          containerInterface: 'eth0',
          mac: '02:42:ac:11:00:02',
          ipv4: plan.ipv4Address ?? `172.17.0.${lastOctet}`,
          ipv4PrefixLength: 16,
          gateway: '172.17.0.1',
          aliases: [],
          dnsNames: [],
          ports: request.ports.map(({ protocol, containerPort, hostIp, hostPort }) => ({
            protocol,
            containerPort,
            hostIp: hostIp || '0.0.0.0',
            hostPort: Number(hostPort) || 49_153,
          })),
        }
      })
      state.endpoints.set(request.containerId, endpoints)
      const { userNamespace: asked } = request
      const userNamespacePath = asked && ('path' in asked ? asked.path : `/run/userns/${request.containerId}`)
      return { namespacePath, ...(userNamespacePath && { userNamespacePath }), endpoints }
    },
    tearDown: async (id) => {
      call(state, 'network.tearDown', id)
      state.endpoints.delete(id)
    },
    endpointsOf: (id) => state.endpoints.get(id) ?? [],
    connect: async () => {
      throw new Error('the fake connects at start only')
    },
    disconnect: async (id, networkId) => {
      call(state, 'network.disconnect', id)
      const rest = (state.endpoints.get(id) ?? []).filter((row) => row.networkId !== networkId)
      state.endpoints.set(id, rest)
    },
    createNetwork: async (draft) => {
      const network = { ...builtIn(draft.name, draft.driver), ...draft }
      networks.push(network)
      return network
    },
    removeNetwork: async (id) => {
      const index = networks.findIndex((network) => network.id === id)
      if (index >= 0) networks.splice(index, 1)
    },
    hostGateway: () => '172.17.0.1',
    close: async () => {},
    release: async () => call(state, 'network.release', ''),
    reconcile: async (live) => {
      for (const id of state.endpoints.keys()) if (!live.has(id)) state.endpoints.delete(id)
      return { errors: [] }
    },
  }
}

export const fakeNameFiles = (state: FakeHostState): NameFiles => ({
  write: async (request) => {
    const { directory } = request
    call(state, 'nameFiles.write', directory)
    state.nameFiles.push(request)
    return {
      hostnamePath: `${directory}/hostname`,
      hostsPath: `${directory}/hosts`,
      resolvConfPath: `${directory}/resolv.conf`,
    }
  },
})

export function fakeRuntimes(state: FakeHostState): Runtimes {
  return {
    defaultName: 'runc',
    list: () => ({ runc: { path: 'runc' }, other: { path: 'other' } }),
    features: async (name) => (name === 'runc' ? '{"ociVersionMax":"1.0.2"}' : undefined),
    resolve: async (name = 'runc') => ({
      name,
      command: { path: `/usr/bin/${name}`, globalArguments: [] },
      stateDirectory: (id) => `/run/${name}/${id}`,
      deleteForce: async (id) => call(state, 'runtime.deleteForce', id),
      version: '1.2.3',
      isCrun: false,
      seccompAnnotations: async () => ({ 'run.oci.fake': 'kept' }),
      keepSeccomp: async (_filter, { containerId }) => call(state, 'runtime.keepSeccomp', containerId),
    }),
  }
}

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

export function fakeLogs(state: FakeHostState): Logs {
  const logs: Logs = {
    read: (query) => readLog(state, query),
    async *chunks(query, { multiplexed, timestamps }) {
      for await (const { stream, timeNs, line } of logs.read(query)) {
        const text = timestamps ? Buffer.concat([Buffer.from(`${rfc3339FixedNano(timeNs)} `), line]) : line
        yield multiplexed ? frame(stream, text) : text
      }
    },
    async *undelivered({ path, ended, signal }) {
      const query = { path, stdout: true, stderr: true, follow: true, ended, signal }
      let at = 0
      for await (const record of logs.read(query)) {
        at += 1
        const end = at
        if (end <= (state.deliveredRecords.get(path) ?? 0)) continue
        yield { records: [record], delivered: async () => void state.deliveredRecords.set(path, end) }
      }
    },
    remove: async (path) => void state.logs.delete(path),
  }
  return logs
}

async function* readLog(state: FakeHostState, query: LogQuery): AsyncGenerator<LogRecord> {
  const { path, stdout, stderr, sinceNs, untilNs, tail, follow, ended, signal } = query
  const wanted = (record: LogRecord) =>
    ((record.stream === 'stdout' && stdout) || (record.stream === 'stderr' && stderr)) &&
    (sinceNs === undefined || record.timeNs >= sinceNs) &&
    (untilNs === undefined || record.timeNs <= untilNs)
  const all = (state.logs.get(path) ?? []).filter(wanted)
  yield* tail === undefined ? all : all.slice(Math.max(0, all.length - tail))
  let seen = all.length
  while (follow && !signal?.aborted) {
    const last = ended?.aborted ?? true
    const now = (state.logs.get(path) ?? []).filter(wanted)
    yield* now.slice(seen)
    seen = now.length
    if (last) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}

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

export interface FakeImages extends ImageCatalog {
  /** Of every image. */
  manifest: ReturnType<ImageCatalog['manifestOf']>
  readonly images: Map<string, ImageSummary>
  usage: ImageUsage | undefined
  /** Images of removed containers. */
  readonly released: string[]
  readonly commits: (CommitRequest & { layerText: string })[]
}

/** One image, `busybox`, with a command of its own. */
export function fakeImages(): FakeImages {
  const busybox: ImageSummary = {
    id: `sha256:${'b'.repeat(64)}`,
    platform: { os: 'linux', architecture: 'amd64' },
    config: { Env: ['PATH=/bin'], Cmd: ['sh'], Labels: { from: 'image' } },
    sizeBytes: 1000,
  }
  const images = new Map([['busybox', busybox]])
  const fake: FakeImages = {
    manifest: undefined,
    images,
    usage: undefined,
    released: [],
    commits: [],
    resolve: (reference) => {
      const found =
        images.get(reference.replace(/:latest$/, '')) ?? [...images.values()].find(({ id }) => id === reference)
      if (found === undefined)
        throw notFound(`No such image: ${reference.includes(':') ? reference : `${reference}:latest`}`)
      return found
    },
    manifestOf: () => fake.manifest,
    layerDirectories: () => ({ layersRoot: '/layers', directories: ['l1'] }),
    commit: async (request) => {
      const parts: Buffer[] = []
      for await (const chunk of request.layer) parts.push(chunk)
      fake.commits.push({ ...request, layerText: Buffer.concat(parts).toString() })
      return `sha256:${'c'.repeat(64)}`
    },
    layerUsage: () => ({ totalBytes: 1000, usedBytes: 0 }),
    setUsage: (usage) => {
      fake.usage = usage
    },
    containerRemoved: (imageId) => void fake.released.push(imageId),
  }
  return fake
}
