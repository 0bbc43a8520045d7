/** The text of `info`. */
import { binarySize } from './units.ts'

export interface DaemonInfo {
  Containers: number
  ContainersRunning: number
  ContainersPaused: number
  ContainersStopped: number
  Images: number
  ServerVersion: string
  Driver: string
  DriverStatus: [string, string][] | null
  LoggingDriver: string
  CgroupDriver: string
  CgroupVersion?: string
  Plugins: Record<'Volume' | 'Network' | 'Authorization' | 'Log', string[] | null>
  Swarm: { LocalNodeState: string }
  Runtimes: Record<string, unknown> | null
  DefaultRuntime: string
  InitBinary: string
  ContainerdCommit: Commit
  RuncCommit: Commit
  InitCommit: Commit
  SecurityOptions: string[] | null
  KernelVersion: string
  OperatingSystem: string
  OSType: string
  Architecture: string
  NCPU: number
  MemTotal: number
  Name: string
  ID: string
  DockerRootDir: string
  Debug: boolean
  NFd: number
  NGoroutines: number
  SystemTime: string
  NEventsListener: number
  HttpProxy: string
  HttpsProxy: string
  NoProxy: string
  Labels: string[] | null
  ExperimentalBuild: boolean
  CDISpecDirs?: string[] | null
  DiscoveredDevices?: { Source: string; ID: string }[] | null
  RegistryConfig: {
    InsecureRegistryCIDRs: string[] | null
    IndexConfigs: Record<string, { Secure: boolean }> | null
    Mirrors: string[] | null
  } | null
  LiveRestoreEnabled: boolean
  ProductLicense?: string
  DefaultAddressPools?: { Base: string; Size: number }[] | null
  Warnings?: string[] | null
}

interface Commit {
  ID: string
  Expected?: string
}

export function describeDaemon(info: DaemonInfo): string {
  const lines = [
    ` Containers: ${info.Containers}`,
    `  Running: ${info.ContainersRunning}`,
    `  Paused: ${info.ContainersPaused}`,
    `  Stopped: ${info.ContainersStopped}`,
    ` Images: ${info.Images}`,
    ...optional(' Server Version', info.ServerVersion),
    ...optional(' Storage Driver', info.Driver),
    ...pairs(info.DriverStatus, '  '),
    ...optional(' Logging Driver', info.LoggingDriver),
    ...optional(' Cgroup Driver', info.CgroupDriver),
    ...optional(' Cgroup Version', info.CgroupVersion),
    ...plugins(info),
    ...cdi(info),
    ` Swarm: ${info.Swarm.LocalNodeState}`,
    ...runtimes(info),
    ...security(info.SecurityOptions ?? []),
    ...optional(' Kernel Version', info.KernelVersion),
    ...optional(' Operating System', info.OperatingSystem),
    ...optional(' OSType', info.OSType),
    ...optional(' Architecture', info.Architecture),
    ` CPUs: ${info.NCPU}`,
    ` Total Memory: ${binarySize(info.MemTotal)}`,
    ...optional(' Name', info.Name),
    ...optional(' ID', info.ID),
    ` Docker Root Dir: ${info.DockerRootDir}`,
    ` Debug Mode: ${info.Debug}`,
    ...debug(info),
    ...optional(' HTTP Proxy', info.HttpProxy),
    ...optional(' HTTPS Proxy', info.HttpsProxy),
    ...optional(' No Proxy', info.NoProxy),
    ...list(' Labels:', info.Labels),
    ` Experimental: ${info.ExperimentalBuild}`,
    ...registries(info),
    ` Live Restore Enabled: ${info.LiveRestoreEnabled}`,
    ...optional(' Product License', info.ProductLicense),
    ...pools(info),
  ]
  return `${lines.join('\n')}\n\n`
}

export function describeWarnings(info: DaemonInfo): string {
  return (info.Warnings ?? []).map((warning) => `${warning}\n`).join('')
}

const optional = (name: string, value: string | undefined): string[] => (value ? [`${name}: ${value}`] : [])
const list = (heading: string, values: readonly string[] | null | undefined): string[] =>
  values && values.length > 0 ? [heading, ...values.map((value) => `  ${value}`)] : []
const pairs = (values: readonly [string, string][] | null | undefined, indent: string): string[] =>
  (values ?? []).map(([name, value]) => `${indent}${name}: ${value}`)

function plugins({ Plugins }: DaemonInfo): string[] {
  const authorization =
    Plugins.Authorization && Plugins.Authorization.length > 0
      ? [`  Authorization: ${Plugins.Authorization.join(' ')}`]
      : []
  return [
    ' Plugins:',
    `  Volume: ${(Plugins.Volume ?? []).join(' ')}`,
    `  Network: ${(Plugins.Network ?? []).join(' ')}`,
    ...authorization,
    `  Log: ${(Plugins.Log ?? []).join(' ')}`,
  ]
}

function cdi({ CDISpecDirs, DiscoveredDevices: devices }: DaemonInfo): string[] {
  return [
    ...list(' CDI spec directories:', CDISpecDirs),
    ...list(
      ' Discovered Devices:',
      devices?.map(({ Source, ID }) => `${Source}: ${ID}`),
    ),
  ]
}

function runtimes(info: DaemonInfo): string[] {
  if (!info.Runtimes || Object.keys(info.Runtimes).length === 0) return []
  const commit = ({ ID, Expected }: Commit) => (Expected && Expected !== ID ? `${ID} (expected: ${Expected})` : ID)
  const versions =
    info.OSType === 'linux'
      ? [
          ` Init Binary: ${info.InitBinary}`,
          ` containerd version: ${commit(info.ContainerdCommit)}`,
          ` runc version: ${commit(info.RuncCommit)}`,
          ` init version: ${commit(info.InitCommit)}`,
        ]
      : []
  return [
    ` Runtimes: ${Object.keys(info.Runtimes).sort().join(' ')}`,
    ` Default Runtime: ${info.DefaultRuntime}`,
    ...versions,
  ]
}

/** `name=seccomp,profile=builtin` is shown as a name with its details below. */
function security(options: readonly string[]): string[] {
  if (options.length === 0) return []
  const lines = options.flatMap((option) => {
    const fields = option
      .split(',')
      .map((field): [string, string] => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)])
    const name = fields.find(([key]) => key === 'name')?.[1] ?? option
    const details = fields
      .filter(([key]) => key !== 'name')
      .map(([key, value]) => `   ${key === 'profile' ? 'Profile' : key}: ${value}`)
    return [`  ${name}`, ...details]
  })
  return [' Security Options:', ...lines]
}

function debug(info: DaemonInfo): string[] {
  if (!info.Debug) return []
  return [
    `  File Descriptors: ${info.NFd}`,
    `  Goroutines: ${info.NGoroutines}`,
    `  System Time: ${info.SystemTime}`,
    `  EventsListeners: ${info.NEventsListener}`,
  ]
}

function registries({ RegistryConfig }: DaemonInfo): string[] {
  if (!RegistryConfig) return []
  const insecure = Object.entries(RegistryConfig.IndexConfigs ?? {})
    .filter(([, index]) => !index.Secure)
    .map(([name]) => name)
  const all = [...insecure, ...(RegistryConfig.InsecureRegistryCIDRs ?? [])]
  return [...list(' Insecure Registries:', all), ...list(' Registry Mirrors:', RegistryConfig.Mirrors)]
}

function pools({ DefaultAddressPools }: DaemonInfo): string[] {
  if (!DefaultAddressPools || DefaultAddressPools.length === 0) return []
  return [' Default Address Pools:', ...DefaultAddressPools.map(({ Base, Size }) => `   Base: ${Base}, Size: ${Size}`)]
}
