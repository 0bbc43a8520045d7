/** The steps from 1.46 to 1.51. */
import { InvalidRequest } from '../parse/invalid-request.ts'
import {
  adaptEntries,
  type Fields,
  fieldsOf,
  ignoreBody,
  ignoreQuery,
  mountsOf,
  type VersionStep,
  withDefaults,
  without,
  withoutEndpointField,
} from './version-step.ts'

export const v1_51: VersionStep = {
  version: '1.51',
  responses: { ImageList: (value) => ({ ...value, Containers: -1 }) },
}

/** Part of a container's configuration, never of an image's. */
const containerOnlyConfig = {
  Hostname: '',
  Domainname: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: '',
}

export const v1_50: VersionStep = {
  version: '1.50',
  responses: {
    SystemInfo: (value) =>
      withDefaults(without(value, 'DiscoveredDevices'), { BridgeNfIptables: false, BridgeNfIp6tables: false }),
    ImageInspect: (value) => ({ ...value, Config: withDefaults(fieldsOf(value.Config), containerOnlyConfig) }),
  },
  requests: { ImageDelete: ignoreQuery({ platforms: [] }) },
}

const withExpected = (commit: unknown) => ({ ...fieldsOf(commit), Expected: fieldsOf(commit).ID ?? '' })

export const v1_49: VersionStep = {
  version: '1.49',
  responses: {
    SystemInfo: (value) => ({
      ...without(value, 'FirewallBackend'),
      ContainerdCommit: withExpected(value.ContainerdCommit),
      RuncCommit: withExpected(value.RuncCommit),
      InitCommit: withExpected(value.InitCommit),
    }),
  },
  requests: { ImageInspect: ignoreQuery({ platform: undefined }) },
}

const withoutGatewayPriority = (value: Fields) => withoutEndpointField(value, 'GwPriority')
const containerBefore48 = (value: Fields) => withoutGatewayPriority(without(value, 'ImageManifestDescriptor'))

export const v1_48: VersionStep = {
  version: '1.48',
  responses: {
    SystemInfo: (value) => ({
      ...value,
      RegistryConfig: withDefaults(fieldsOf(value.RegistryConfig), {
        AllowNondistributableArtifactsCIDRs: null,
        AllowNondistributableArtifactsHostnames: null,
      }),
    }),
    ContainerList: containerBefore48,
    ContainerInspect: containerBefore48,
    SystemDataUsage: (value) => ({
      ...value,
      ...adaptEntries(value, 'Containers', containerBefore48),
      ...adaptEntries(value, 'Images', (image) => without(image, 'Descriptor')),
    }),
    ImageList: (value) => without(value, 'Descriptor'),
    ImageInspect: (value) => without(value, 'Descriptor', 'Manifests'),
    NetworkList: (value) => without(value, 'EnableIPv4'),
    NetworkInspect: (value) => without(value, 'EnableIPv4'),
  },
  requests: {
    ContainerCreate: ({ body }) => {
      if (mountsOf(body).some((mount) => mount.Type === 'image')) {
        throw new InvalidRequest('mount type "image" needs API v1.48 or newer')
      }
    },
    ImageInspect: ignoreQuery({ manifests: false }),
    ImageHistory: ignoreQuery({ platform: undefined }),
    ImageGet: ignoreQuery({ platform: [] }),
    ImageGetAll: ignoreQuery({ platform: [] }),
    ImageLoad: ignoreQuery({ platform: [] }),
    NetworkCreate: ignoreBody('EnableIPv4'),
  },
}

export const v1_47: VersionStep = {
  version: '1.47',
  responses: { ImageList: (value) => without(value, 'Manifests') },
  requests: { ImageList: ignoreQuery({ manifests: false }) },
}

export const v1_46: VersionStep = {
  version: '1.46',
  responses: {
    SystemInfo: (value) => without(value, 'Containerd'),
    ContainerList: (value) => ({ ...value, HostConfig: without(fieldsOf(value.HostConfig), 'Annotations') }),
  },
  requests: { ImagePush: ignoreQuery({ platform: undefined }) },
}
