/** The steps from 1.25 to 1.45. */
import { InvalidRequest } from '../parse/invalid-request.ts'
import {
  adaptEntries,
  type Fields,
  fieldsOf,
  ignoreBody,
  ignoreQuery,
  mapValues,
  mountsOf,
  type VersionStep,
  withDefaults,
  without,
  withoutEndpointField,
} from './version-step.ts'

/** Before 1.45 the aliases on user-defined networks held the short id, and the host name. */
function withIdAliases(value: Fields): Fields {
  const shortId = String(value.Id ?? '').slice(0, 12)
  const settings = fieldsOf(value.NetworkSettings)
  const hostname = fieldsOf(value.Config).Hostname
  const networks = Object.entries(fieldsOf(settings.Networks)).map(([name, entry]) => {
    const endpoint = fieldsOf(entry)
    if (name === 'bridge' || name === 'host' || name === 'none') return [name, endpoint]
    const own = (endpoint.Aliases ?? []) as string[]
    const added = [shortId, hostname].filter(
      (alias) => typeof alias === 'string' && alias !== '' && !own.includes(alias),
    )
    return [name, { ...endpoint, Aliases: [...new Set([...own, ...added])] }]
  })
  return { ...value, NetworkSettings: { ...settings, Networks: Object.fromEntries(networks) } }
}

const emptyContainerConfig = {
  Hostname: '',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: null,
  Cmd: null,
  Image: '',
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: null,
}

export const v1_45: VersionStep = {
  version: '1.45',
  responses: {
    ContainerInspect: withIdAliases,
    ImageInspect: (value) => ({
      ...value,
      ContainerConfig: withDefaults(fieldsOf(value.ContainerConfig), emptyContainerConfig),
    }),
  },
  requests: {
    ContainerCreate: ({ body }) => {
      const subpath = mountsOf(body).some((mount) => (fieldsOf(mount.VolumeOptions).Subpath ?? '') !== '')
      if (subpath) throw new InvalidRequest('VolumeOptions.Subpath needs API v1.45 or newer')
    },
  },
}

const withVirtualSize = (value: Fields): Fields => ({ ...value, VirtualSize: value.Size })
const withoutDnsNames = (value: Fields): Fields => withoutEndpointField(value, 'DNSNames')

export const v1_44: VersionStep = {
  version: '1.44',
  responses: {
    ContainerInspect: withoutDnsNames,
    ContainerList: withoutDnsNames,
    ImageList: withVirtualSize,
    ImageInspect: (value) => withVirtualSize(withDefaults(value, { Created: '0001-01-01T00:00:00Z' })),
    SystemDataUsage: (value) => ({ ...value, ...adaptEntries(value, 'Images', withVirtualSize) }),
    SystemInfo: (value) => ({ ...value, Runtimes: mapValues(value.Runtimes, (runtime) => without(runtime, 'status')) }),
  },
  requests: { ContainerCreate: ({ body }) => createBefore44(body) },
}

function createBefore44(body: Fields): void {
  if (body.Healthcheck !== undefined) body.Healthcheck = without(fieldsOf(body.Healthcheck), 'StartInterval')
  for (const mount of mountsOf(body)) {
    if (mount.Type !== 'bind') continue
    const options = fieldsOf(mount.BindOptions)
    if (options.ReadOnlyForceRecursive === true) {
      throw new InvalidRequest('BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer')
    }
    // No read-only bind was recursive; Docker shows it of those that have options at all.
    if (mount.BindOptions && mount.ReadOnly) mount.BindOptions = { ...options, ReadOnlyNonRecursive: true }
  }
  const endpoints = fieldsOf(fieldsOf(body.NetworkingConfig).EndpointsConfig)
  // Only the whole container had a MAC address.
  for (const endpoint of Object.values(endpoints)) delete fieldsOf(endpoint).MacAddress
  const networks = Object.keys(endpoints)
  if (networks.length > 1) {
    throw new InvalidRequest(`Container cannot be created with multiple network endpoints: ${networks.join(', ')}`)
  }
}

export const v1_43: VersionStep = {
  version: '1.43',
  responses: {
    ImageList: (value) => {
      const named = (value.RepoTags as unknown[]).length > 0 || (value.RepoDigests as unknown[]).length > 0
      return named ? value : { ...value, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] }
    },
  },
  requests: { ContainerCreate: ({ body }) => void delete fieldsOf(body.HostConfig).Annotations },
}

const mountOptions = { BindOptions: 'bind', VolumeOptions: 'volume', TmpfsOptions: 'tmpfs' }

export const v1_42: VersionStep = {
  version: '1.42',
  requests: {
    ContainerStop: ignoreQuery({ signal: undefined }),
    ContainerRestart: ignoreQuery({ signal: undefined }),
    ContainerAttachWebsocket: ignoreQuery({ stdin: true, stdout: true, stderr: true }),
    ContainerCreate: ({ body }) => {
      delete fieldsOf(body.HostConfig).ConsoleSize
      for (const mount of mountsOf(body)) {
        // Options of another type of mount were ignored, not refused.
        for (const [key, type] of Object.entries(mountOptions)) if (mount.Type !== type) delete mount[key]
        if (mount.BindOptions !== undefined) delete fieldsOf(mount.BindOptions).CreateMountpoint
      }
    },
    ContainerExec: ignoreBody('ConsoleSize'),
    ExecStart: ignoreBody('ConsoleSize'),
    ImageList: ignoreQuery({ 'shared-size': false }),
    SystemDataUsage: ignoreQuery({ type: [] }),
    // Named volumes were pruned, too.
    VolumePrune: ({ query }) => {
      query.filters = { all: ['true'], ...fieldsOf(query.filters) }
    },
  },
}

export const v1_41: VersionStep = {
  version: '1.41',
  requests: {
    ContainerCreate: ({ query, body }) => {
      query.platform = undefined
      body.HostConfig = { ...fieldsOf(body.HostConfig), CgroupnsMode: fieldsOf(body.HostConfig).CgroupnsMode || 'host' }
    },
    ContainerStats: ignoreQuery({ 'one-shot': false }),
    ImageList: ({ query }) => {
      if (query.filter !== undefined) query.filters = { ...fieldsOf(query.filters), reference: [query.filter] }
    },
  },
}

export const v1_40: VersionStep = {
  version: '1.40',
  requests: {
    ContainerCreate: ({ body }) => {
      body.HostConfig = { ...fieldsOf(body.HostConfig), IpcMode: fieldsOf(body.HostConfig).IpcMode || 'shareable' }
      for (const { BindOptions } of mountsOf(body))
        if (BindOptions !== undefined) delete fieldsOf(BindOptions).NonRecursive
    },
    ContainerUpdate: ignoreBody('PidsLimit'),
  },
}

export const v1_39: VersionStep = {
  version: '1.39',
  responses: {
    SystemInfo: (value) => ({
      ...value,
      KernelVersion: value.KernelVersion || '<unknown>',
      OperatingSystem: value.OperatingSystem || '<unknown>',
    }),
  },
}

export const v1_35: VersionStep = { version: '1.35', requests: { ContainerLogs: ignoreQuery({ until: undefined }) } }
export const v1_32: VersionStep = { version: '1.32', requests: { ImageCreate: ignoreQuery({ platform: undefined }) } }
export const v1_31: VersionStep = { version: '1.31', requests: { NetworkInspect: ignoreQuery({ scope: undefined }) } }
export const v1_30: VersionStep = {
  version: '1.30',
  requests: { ContainerWait: ignoreQuery({ condition: undefined }) },
}
export const v1_28: VersionStep = { version: '1.28', requests: { NetworkInspect: ignoreQuery({ verbose: false }) } }

export const v1_25: VersionStep = {
  version: '1.25',
  responses: {
    SystemInfo: (value) => ({
      ...value,
      ExecutionDriver: '<not supported>',
      // `name=seccomp,profile=builtin` was `seccomp`.
      SecurityOptions: (value.SecurityOptions as string[]).map((option) => /name=([^,]*)/.exec(option)?.[1] ?? option),
    }),
  },
  requests: { ContainerExec: ignoreBody('Env') },
}
