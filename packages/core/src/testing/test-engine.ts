/** A whole engine over fakes, for tests of use cases; `restartDaemon` makes another one over the same host and records. */
import type * as wire from '@dockerd-ts/api'
import { createEngine, type RunnableEngine } from '../create-engine.ts'
import type { ImageService, NetworkService } from '../engine.ts'
import type { ContainerUsers, EngineDependencies, EngineSettings } from '../engine-dependencies.ts'
import { EventBus } from '../events/event-bus.ts'
import type { DataRoot, ImageLedger } from '../ports/disk-ledger.ts'
import type { ContainerFiles, HostDescription } from '../ports/host.ts'
import { silentLogger } from '../support/logger.ts'
import { createVolumeService } from '../volumes/volume-service.ts'
import { type FakeArchives, fakeArchives } from './fake-archives.ts'
import { fakeCdiDevices } from './fake-cdi-devices.ts'
import { fakeCgroups } from './fake-cgroups.ts'
import { type FakeClock, fakeClock } from './fake-clock.ts'
import { fakeContainerFiles } from './fake-container-files.ts'
import { fakeHost, fakeHostDescription } from './fake-host.ts'
import { type FakeHostState, fakeHostState } from './fake-host-state.ts'
import { type FakeImages, fakeImages } from './fake-images.ts'
import { type FakeLogTargets, fakeLogTargets } from './fake-log-targets.ts'
import { fakeLogs } from './fake-logs.ts'
import {
  type FakeMonitorHost,
  type FakeMonitors,
  type FakeProcess,
  fakeMonitorHost,
  fakeMonitors,
} from './fake-monitors.ts'
import { type FakeNetworks, fakeNameFiles, fakeNetworks } from './fake-networks.ts'
import { type FakeRecords, fakeRecords } from './fake-records.ts'
import { fakeRootFilesystems } from './fake-root-filesystems.ts'
import { fakeRuntimes } from './fake-runtimes.ts'
import { type FakeVolumes, fakeVolumes } from './fake-volumes.ts'

export interface TestEngine {
  engine: RunnableEngine
  clock: FakeClock
  state: FakeHostState
  records: FakeRecords
  monitors: FakeMonitors
  networks: FakeNetworks
  images: FakeImages
  volumes: FakeVolumes
  logTargets: FakeLogTargets
  files: ContainerFiles
  archives: FakeArchives
  /** What networks and volumes are told of containers. */
  users: ContainerUsers
  events: EventBus
  /** `type action name` of everything that happened, oldest first. */
  eventLog(): string[]
  /** The process of the last start. */
  process(): FakeProcess
  /** Creates from busybox with this command. */
  create(body?: wire.ContainerCreateRequest, name?: string): Promise<string>
  /** What this daemon does from now on has no effect: writes are lost, calls to the host never return. */
  die(): void
  /** As after kill -9: memory is gone, records and host are what they are. */
  restartDaemon(change?: { bootId?: string }): TestEngine
}

export const testSettings: EngineSettings = {
  version: '1.0.0',
  gitCommit: 'abcdef',
  seccompProfileName: 'builtin',
  init: { binary: 'docker-init', version: 'abcdef' },
  liveRestore: true,
  dns: { servers: [], search: [], options: [] },
  buildTime: '2026-01-01T00:00:00Z',
  apiVersion: '1.51',
  minApiVersion: '1.24',
  dataRoot: '/data',
  labels: [],
  debug: false,
  experimental: false,
  defaultLogConfig: { type: 'json-file', options: {} },
  defaultStopTimeoutSeconds: 10,
  defaultShmSizeBytes: 64 * 1024 * 1024,
  defaultCgroupNamespaceMode: '',
  defaultIpcMode: 'private',
  defaultInit: false,
  defaultUlimits: [],
  noNewPrivileges: false,
  restartUnhealthy: false,
  composeStartOrder: false,
  apiWarnings: [],
  removed: { retentionMs: 0, limitBytes: 1024 * 1024 },
  registry: { InsecureRegistryCIDRs: ['127.0.0.0/8'], IndexConfigs: {}, Mirrors: null },
  addressPools: [],
}

interface Host {
  clock: FakeClock
  state: FakeHostState
  records: FakeRecords
  monitorHost: FakeMonitorHost
  volumes: FakeVolumes
  logTargets: FakeLogTargets
}

/** `description`: where the host is another one than usual. */
export function testEngine(
  settings: Partial<EngineSettings> = {},
  description: Partial<HostDescription> = {},
): TestEngine {
  const clock = fakeClock()
  const host: Host = {
    clock,
    state: { ...fakeHostState(), description },
    records: fakeRecords(),
    monitorHost: fakeMonitorHost(() => clock.nowNs()),
    volumes: fakeVolumes(),
    logTargets: fakeLogTargets(),
  }
  return daemonOn(host, { ...testSettings, ...settings })
}

/** Routes and services of the neighbours are tested by their own; here their absence must show. */
const absent = <T extends object>(what: string): T =>
  new Proxy({} as T, {
    get: (_target, name) => () => {
      throw new Error(`the test engine has no ${what} (${String(name)})`)
    },
  })

interface Life {
  dead: boolean
}

/** Calls that only look: they answer also to the dead. The others neither write nor return any more. */
const looks =
  /^(list|find|get|read|count|last|resolve|endpointsOf|hostGateway|mountpoint|.*Directory$|.*Path$|existing$)/
const writesAtOnce = new Set<PropertyKey>([
  'transaction',
  'insertContainer',
  'updateContainer',
  'updateContainerState',
  'deleteContainer',
  'putRemoved',
  'setRemovedLogBytes',
  'deleteRemoved',
  'putExec',
  'deleteExec',
  'deleteExecsOf',
  'appendEvents',
  'setValue',
  'createData',
  'prepareRun',
  'prepareExec',
  'writeSpec',
])

function mortal<T extends object>(port: T, life: Life): T {
  return new Proxy(port, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function' || looks.test(String(name))) return value
      return (...parameters: unknown[]) => {
        if (!life.dead) return Reflect.apply(value, target, parameters)
        return writesAtOnce.has(name) ? undefined : new Promise(() => {})
      }
    },
  })
}

function daemonOn(host: Host, settings: EngineSettings): TestEngine {
  const { clock, state, monitorHost } = host
  const life: Life = { dead: false }
  const records = mortal(host.records, life)
  const volumes = mortal(host.volumes, life)
  const events = new EventBus(records, clock)
  const monitors = fakeMonitors(monitorHost)
  const networks = fakeNetworks(state)
  const images = fakeImages()
  const files = fakeContainerFiles(state)
  const archives = fakeArchives()
  const imageService = { ...absent<ImageService>('image service'), list: async () => [] }
  let users = absent<ContainerUsers>('container users')
  const dependencies: EngineDependencies = {
    settings,
    logger: silentLogger,
    clock,
    records,
    events,
    host: fakeHost(state),
    hostDescription: fakeHostDescription(state),
    files: mortal(files, life),
    archives: mortal(archives, life),
    images,
    networks: mortal(networks, life),
    nameFiles: fakeNameFiles(state),
    rootFilesystems: mortal(fakeRootFilesystems(state), life),
    volumes,
    logs: fakeLogs(state),
    logTargets: host.logTargets,
    monitors: mortal(monitors, life),
    runtimes: fakeRuntimes(state),
    cgroups: mortal(fakeCgroups(state), life),
    cdi: fakeCdiDevices(),
    imageService,
    disk: {
      root: absent<DataRoot>('data root'),
      images: absent<ImageLedger>('image ledger'),
      owners: [],
    },
    networkService: () => absent<NetworkService>('network service'),
    volumeService: (given) => {
      users = given
      return createVolumeService({ volumes, events, users })
    },
  }
  const engine = createEngine(dependencies)
  return {
    engine,
    clock,
    state,
    records: host.records,
    monitors,
    networks,
    images,
    volumes,
    logTargets: host.logTargets,
    files,
    archives,
    users,
    events,
    eventLog() {
      events.flush()
      return records
        .readEvents({ limit: 10_000 })
        .map(({ type, action, attributes }) => `${type} ${action} ${attributes.name ?? ''}`.trimEnd())
    },
    process() {
      const last = monitors.started.at(-1)
      if (last === undefined) throw new Error('nothing was started')
      return last
    },
    async create(body = {}, name) {
      const request = { Image: 'busybox', Cmd: ['sh'], ...body }
      const { Id: id } = await engine.containers.create({ body: request, ...(name !== undefined && { name }) })
      return id
    },
    die() {
      life.dead = true
    },
    restartDaemon({ bootId } = {}) {
      life.dead = true
      if (bootId !== undefined) state.bootId = bootId
      return daemonOn(host, settings)
    },
  }
}
