/** 1.52 dropped the oldest compatibility fields: the default network at the top, three keys of events, empty keys. */
import { InvalidRequest } from '../parse/invalid-request.ts'
import { adaptEntries, type Fields, fieldsOf, type VersionStep, withDefaults, without } from './version-step.ts'

export const v1_52: VersionStep = {
  version: '1.52',
  responses: {
    ContainerList: (value) => without(value, 'Health'),
    ContainerInspect: (value) => ({
      ...withDefaults(value, { GraphDriver: { Data: null, Name: value.Driver } }),
      Config: withDefaults(fieldsOf(value.Config), { OnBuild: null }),
      NetworkSettings: withDefaultNetwork(fieldsOf(value.NetworkSettings)),
    }),
    ContainerStats: (value) => without(value, 'os_type'),
    ImageInspect: (value) => ({
      ...withDefaults(value, { Parent: '', Comment: '', DockerVersion: '', Author: '' }),
      Config: withDefaults(fieldsOf(value.Config), emptyImageConfig),
    }),
    NetworkList: (value) => withDefaults(value, { Containers: {} }),
    NetworkInspect: (value) => without(value, 'Status'),
    SystemDataUsage: (value) => ({ ...value, ...adaptEntries(value, 'Containers', (one) => without(one, 'Health')) }),
    SystemEvents: withLegacyKeys,
  },
  requests: {
    ContainerCreate: ({ body }) => moveMacAddress(body),
    ImageGet: firstPlatform,
    ImageGetAll: firstPlatform,
    ImageLoad: firstPlatform,
  },
}

/** Save and load took one platform; of several the first counted. */
function firstPlatform({ query }: { query: Fields }): void {
  query.platform = (query.platform as readonly string[]).slice(0, 1)
}

const emptyImageConfig = {
  User: '',
  Env: null,
  Cmd: null,
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: null,
}

function withDefaultNetwork(settings: Fields): Fields {
  const bridge = fieldsOf(fieldsOf(settings.Networks).bridge)
  return {
    Bridge: '',
    ...settings,
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge.EndpointID ?? '',
    Gateway: bridge.Gateway ?? '',
    GlobalIPv6Address: bridge.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: bridge.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge.IPAddress ?? '',
    IPPrefixLen: bridge.IPPrefixLen ?? 0,
    IPv6Gateway: bridge.IPv6Gateway ?? '',
    MacAddress: bridge.MacAddress ?? '',
  }
}

/** `from` is the image of a container's event. */
function withLegacyKeys(value: Fields): Fields {
  if (value.Type !== 'container' && value.Type !== 'image') return value
  const { ID, Attributes } = fieldsOf(value.Actor)
  const from = value.Type === 'container' ? fieldsOf(Attributes).image : undefined
  // A prune has no actor.
  return {
    status: value.Action,
    ...(ID !== '' && { id: ID }),
    ...(from === undefined || from === '' ? {} : { from }),
    ...value,
  }
}

/** The container-wide address becomes the one of the network that the container starts in. */
function moveMacAddress(body: Fields): void {
  const address = body.MacAddress
  if (address === undefined || address === '') return
  delete body.MacAddress
  const asked = String(fieldsOf(body.HostConfig).NetworkMode || 'default')
  if (asked.startsWith('container:')) {
    throw new InvalidRequest('conflicting options: mac-address and the network mode')
  }
  if (asked === 'host' || asked === 'none') return
  const networking = fieldsOf(body.NetworkingConfig)
  const endpoints = fieldsOf(networking.EndpointsConfig)
  // Two names of one network.
  const mode = asked === 'default' && endpoints.bridge !== undefined ? 'bridge' : asked
  const endpoint = fieldsOf(endpoints[mode])
  if (endpoint.MacAddress !== undefined && endpoint.MacAddress !== '' && endpoint.MacAddress !== address) {
    throw new InvalidRequest(
      'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
    )
  }
  const moved = { ...endpoints, [mode]: { ...endpoint, MacAddress: address } }
  body.NetworkingConfig = { ...networking, EndpointsConfig: moved }
}
