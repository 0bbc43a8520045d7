/** Constructs every adapter and passes it in: the one place that knows all packages. */
import { chmodSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ContainerNetworks,
  createEngine,
  createNetworkService,
  createVolumeService,
  type EngineSettings,
  EventBus,
  type IdMap,
  type RunnableEngine,
  systemClock,
} from '@dockerd-ts/core'
import { createImageService, decompress, isPlain } from '@dockerd-ts/images'
import {
  createCdiDevices,
  createCgroups,
  createContainerArchives,
  createContainerFiles,
  createContainerNetworks,
  createDataRoot,
  createMonitors,
  createNameFiles,
  createRuntimes,
  type HostHelperClient,
  JsonFileLogs,
  LinuxHost,
  LocalVolumes,
  OverlayRootFilesystems,
  remapUser,
  startHostHelper,
  storageStatus,
} from '@dockerd-ts/linux'
import { createLogTargets } from '@dockerd-ts/log-drivers'
import { openStore } from '@dockerd-ts/store'
import { cdiDirectories } from './config/cdi-directories.ts'
import { signaturePolicy } from './config/check-config.ts'
import { ConfigError, type DaemonConfig } from './config/load-config.ts'
import { defined } from './http/defined.ts'
import { exposureWarnings } from './lifecycle/listeners.ts'
import type { Logger } from './lifecycle/logger.ts'
import { type ReloadTarget, reloadAttributes } from './lifecycle/reload.ts'
import { monitorProgram } from './program-files.ts'
import { registrySettings } from './registry-settings.ts'
import { API_VERSION, BUILD_TIME, ENGINE_VERSION, GIT_COMMIT, MIN_API_VERSION } from './version.ts'

export interface Daemon {
  engine: RunnableEngine
  helper: HostHelperClient
  events: EventBus
  reload: Pick<ReloadTarget, 'prepare' | 'published'>
  /** Makes rows and host agree; to be awaited before the first request. */
  recover(): Promise<void>
  /** Containers run on. */
  close(): Promise<void>
}

function seccompProfile(path: string | undefined): string | undefined {
  if (path === undefined || path === '' || path === 'builtin') return undefined
  if (path === 'unconfined') return '{"defaultAction":"SCMP_ACT_ALLOW"}'
  try {
    return JSON.stringify(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    throw new ConfigError(`opening seccomp profile (${path}) failed: ${(error as Error).message}`)
  }
}

function engineSettings(config: DaemonConfig): EngineSettings {
  const profile = seccompProfile(config['seccomp-profile'])
  return {
    version: ENGINE_VERSION,
    gitCommit: GIT_COMMIT,
    buildTime: BUILD_TIME,
    apiVersion: API_VERSION,
    minApiVersion: MIN_API_VERSION,
    dataRoot: config['data-root'],
    restartUnhealthy: config['restart-unhealthy'] ?? false,
    composeStartOrder: config['compose-start-order'] ?? false,
    removed: {
      retentionMs: config['removed-retention'] ?? 0,
      limitBytes: config['removed-retention-bytes'] ?? 256 * 2 ** 20,
    },
    apiWarnings: exposureWarnings(config.hosts, { tls: config.tls ?? false, tlsVerify: config.tlsverify ?? false }),
    labels: config.labels ?? [],
    debug: config['log-level'] === 'debug',
    experimental: config.experimental ?? false,
    defaultLogConfig: { type: config['log-driver'] ?? 'json-file', options: config['log-opts'] ?? {} },
    defaultStopTimeoutSeconds: 10,
    defaultShmSizeBytes: config['default-shm-size'] ?? 64 * 2 ** 20,
    defaultCgroupNamespaceMode: config['default-cgroupns-mode'] ?? '',
    defaultIpcMode: config['default-ipc-mode'] ?? 'private',
    defaultInit: config.init ?? false,
    defaultUlimits: Object.values(config['default-ulimits'] ?? {}),
    noNewPrivileges: config['no-new-privileges'] ?? false,
    seccompProfileName: config['seccomp-profile'] || 'builtin',
    init: config['init-path']
      ? { binary: config['init-path'], version: 'N/A' }
      : { binary: 'docker-init', version: `${ENGINE_VERSION} (${GIT_COMMIT})` },
    ...(profile === undefined ? {} : { seccompProfileJson: profile }),
    liveRestore: config['live-restore'],
    dns: { servers: config.dns ?? [], search: config['dns-search'] ?? [], options: config['dns-opts'] ?? [] },
    registry: registrySettings(config),
    addressPools: (config['default-address-pools'] ?? []).map(({ base, size }) => ({ Base: base, Size: size })),
  }
}

/** Those that a reload can change. */
function reloadableSettings(config: DaemonConfig): Partial<EngineSettings> {
  const { labels, debug, defaultShmSizeBytes, liveRestore, registry, removed } = engineSettings(config)
  return { labels, debug, defaultShmSizeBytes, liveRestore, registry, removed }
}

const registryOptions = (config: DaemonConfig) => ({
  mirrors: config['registry-mirrors'] ?? [],
  insecureRegistries: config['insecure-registries'] ?? [],
  maxConcurrentDownloads: config['max-concurrent-downloads'] ?? 3,
  maxConcurrentUploads: config['max-concurrent-uploads'] ?? 5,
  maxDownloadAttempts: config['max-download-attempts'] ?? 5,
  signaturePolicy: signaturePolicy(config),
})

const runtimeChoice = (config: DaemonConfig) =>
  given({
    addedRuntimes: config.runtimes as Record<string, { path: string; runtimeArgs?: string[] }>,
    defaultRuntime: config['default-runtime'],
  })

const given = <T extends object>(values: T) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }

async function hostAdapters(config: DaemonConfig, helper: HostHelperClient) {
  const driver = config['exec-opts']?.at(-1)?.split('=')[1] as 'cgroupfs' | 'systemd' | undefined
  const cgroups = createCgroups(given({ driver, defaultParent: config['cgroup-parent'] }))
  const runtimes = await createRuntimes({
    helper,
    cgroups,
    stateRoot: join(config['exec-root'], 'runtime'),
    seccompDirectory: join(config['data-root'], 'seccomp'),
    ...runtimeChoice(config),
  })
  const host = new LinuxHost({
    cgroups,
    storageStatus: storageStatus(config['data-root']),
    initPath: config['init-path'] || monitorProgram(),
  })
  return { cgroups, runtimes, host }
}

const defaultCgroupNamespace = (version: '1' | '2') => (version === '2' ? 'private' : 'host')

function hostGateways(config: DaemonConfig, networks: ContainerNetworks): readonly string[] {
  if (config['host-gateway-ips']?.length) return config['host-gateway-ips']
  const gateway = networks.hostGateway()
  return gateway === undefined ? [] : [gateway]
}

/**
 * The data root once more, with the ids of containers: their layers are taken from there, so that images are shared with
 * containers of the host's ids. Overlays that are mounted keep what they have of one that goes.
 */
async function mountMapped(
  helper: HostHelperClient,
  { 'data-root': dataRoot, 'exec-root': execRoot }: DaemonConfig,
  idMap: IdMap | undefined,
): Promise<{ dataRoot: string; idMap: string } | undefined> {
  const target = join(execRoot, 'mapped')
  // One of a daemon that was killed may have another map.
  await helper.unmount(target, { detach: true })
  if (idMap === undefined) return undefined
  mkdirSync(target, { recursive: true, mode: 0o700 })
  try {
    await helper.mount({ source: dataRoot, target, flags: ['bind'], idMap: idMap.text })
  } catch (error) {
    throw new ConfigError(`--userns-remap: ${dataRoot} cannot be mounted with mapped ids: ${(error as Error).message}`)
  }
  return { dataRoot: target, idMap: idMap.text }
}

/** Below the data root, beside what containers, images and volumes have. */
const ownFiles = [
  { path: 'dockerd.db', kind: 'database', required: true },
  { path: 'dockerd.db-wal', kind: 'database', required: false },
  { path: 'dockerd.db-shm', kind: 'database', required: false },
  { path: 'seccomp', kind: 'compiled seccomp filters', required: false },
]

/** Makes the roots, refuses a second daemon on them, and puts the engine together. Touches no container yet. */
export async function wire(
  config: DaemonConfig,
  logger: Logger,
  { softNofile }: { softNofile: string | undefined },
): Promise<Daemon> {
  const { 'data-root': dataRoot, 'exec-root': execRoot } = config
  for (const directory of [dataRoot, execRoot]) {
    mkdirSync(directory, { recursive: true })
    chmodSync(directory, 0o711)
  }
  const idMap = config['userns-remap'] ? await remapUser(config['userns-remap']) : undefined
  const clock = systemClock()
  const records = openStore(
    join(dataRoot, 'dockerd.db'),
    defined({ maximumCount: config['event-count'], maximumBytes: config['event-bytes'] }),
  )
  const events = new EventBus(records, clock)
  const program = monitorProgram()
  const helper = await startHostHelper({
    program,
    environment: softNofile === undefined ? {} : { SOFT_NOFILE: softNofile },
    onRestart: (reason) => logger.error({ reason }, 'the host helper died and was started again'),
  })
  const mapped = await mountMapped(helper, config, idMap)
  const { cgroups, runtimes, host } = await hostAdapters(config, helper)
  const networks = await createContainerNetworks({
    helper,
    records,
    execRoot,
    log: logger,
    ...given({
      bridge: config.bridge,
      bip: config.bip,
      bip6: config.bip6,
      fixedCidr: config['fixed-cidr'],
      fixedCidrV6: config['fixed-cidr-v6'],
      defaultGateway: config['default-gateway'],
      defaultGatewayV6: config['default-gateway-v6'],
      ipv6: config.ipv6,
      forwarding: config['ip-forward'],
      defaultNetworkOptions: config['default-network-opts'],
      mtu: config.mtu,
      icc: config.icc,
      ipMasquerade: config['ip-masq'],
      defaultHostIp: config.ip,
      addressPools: config['default-address-pools']?.map(({ base, size }) => ({ base, size })),
    }),
  })
  const images = createImageService({
    dataRoot,
    layerProgram: program,
    records,
    events,
    helper,
    logger,
    registry: { ...registryOptions(config), userAgent: `dockerd-ts/${ENGINE_VERSION}` },
  })
  const volumes = new LocalVolumes({
    ...{ dataRoot, records, helper, nowNs: () => clock.nowNs() },
    ...(idMap && { owner: idMap.root }),
  })
  const rootFilesystems = new OverlayRootFilesystems({ dataRoot, helper, ...(mapped && { mapped }) })
  const settings: EngineSettings = { ...engineSettings(config), ...(idMap && { idMap }) }
  const hostDescription = await host.describe()
  const engine = createEngine({
    settings,
    logger,
    clock,
    records,
    events,
    host,
    hostDescription,
    files: createContainerFiles({ dataRoot, execRoot, helper, passable: idMap !== undefined }),
    archives: createContainerArchives({ program, decompress, isPlain }),
    images: images.catalog,
    networks,
    nameFiles: createNameFiles({ hostGateways: () => hostGateways(config, networks) }),
    rootFilesystems,
    volumes,
    logs: new JsonFileLogs(),
    logTargets: createLogTargets({ sendDatagram: (path, bytes) => helper.sendDatagram(path, bytes) }),
    monitors: createMonitors({ helper }),
    runtimes,
    cgroups,
    cdi: createCdiDevices(cdiDirectories(config)),
    imageService: images.service,
    disk: {
      root: createDataRoot({ dataRoot, helper, fixed: ownFiles }),
      images: images.ledger,
      owners: [rootFilesystems, volumes],
    },
    networkService: (users) => createNetworkService({ networks, events, users }),
    volumeService: (users) => createVolumeService({ volumes, events, users }),
  })
  return {
    engine,
    helper,
    events,
    reload: {
      async prepare(next) {
        const useRuntimes = await runtimes.prepare(runtimeChoice(next))
        const registry = registryOptions(next)
        return () => {
          useRuntimes()
          images.configure(registry)
          Object.assign(settings, reloadableSettings(next))
        }
      },
      published(now) {
        const facts = {
          hostname: hostDescription.hostname,
          cgroupNamespaceMode: settings.defaultCgroupNamespaceMode || defaultCgroupNamespace(cgroups.version),
          defaultRuntime: runtimes.defaultName,
        }
        engine.reloaded(reloadAttributes(now, facts))
      },
    },
    async recover() {
      await images.reconcile()
      const { startsEnded, ...found } = await engine.recover()
      logger.info(found, 'containers reconciled')
      await rootFilesystems.sweep()
      await volumes.sweep()
      startsEnded.catch((err) => logger.error({ err }, 'a container could not be started by its restart policy'))
    },
    async close() {
      await engine.close()
      await images.close()
      await networks.close()
      if (mapped !== undefined) await helper.unmount(mapped.dataRoot, { detach: true })
      await helper.close()
      records.close()
    },
  }
}
