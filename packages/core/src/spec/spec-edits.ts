/** Changes of an OCI spec that devices ask for (CDI): what is there already at the same place gives way. Pure. */
import type { HostConfig } from '@dockerd-ts/api'
import { internal } from '../errors/engine-error.ts'
import { overrideEnvironment } from './environment.ts'
import type { OciDevice, OciHook, OciHookName, OciMount, OciSpec } from './oci-types.ts'

export interface SpecEdits {
  /** `NAME=value`. */
  env: readonly string[]
  /** Owner: that of the container's process unless given. `access` is of the cgroup rule; '' is none. */
  devices: readonly (Omit<OciDevice, 'uid' | 'gid'> & Partial<Pick<OciDevice, 'uid' | 'gid'>> & { access: string })[]
  mounts: readonly OciMount[]
  hooks: readonly (OciHook & { name: OciHookName })[]
  additionalGids: readonly number[]
}

/** Names of the CDI devices that a container asks for. Throws internal, as Docker finds it at the start. */
export function cdiDeviceNames({ DeviceRequests: requests }: HostConfig): string[] {
  return (requests ?? []).filter(isCdiRequest).flatMap(({ Count: count, Options: options, DeviceIDs: names }) => {
    if (count) throw internal('unexpected count in CDI device request')
    if (Object.keys(options ?? {}).length > 0) throw internal('unexpected options in CDI device request')
    return names ?? []
  })
}

export const isCdiRequest = ({ Driver: driver }: NonNullable<HostConfig['DeviceRequests']>[number]): boolean =>
  driver === 'cdi'

export function withSpecEdits(spec: OciSpec, edits: SpecEdits): OciSpec {
  const { process, linux } = spec
  const devices = editedDevices(spec, edits)
  const hooks = editedHooks(edits)
  const groups = edits.additionalGids.filter((gid) => gid !== 0)
  return {
    ...spec,
    process: {
      ...process,
      env: overrideEnvironment(process.env, edits.env),
      user:
        groups.length === 0
          ? process.user
          : { ...process.user, additionalGids: [...new Set([...(process.user.additionalGids ?? []), ...groups])] },
    },
    mounts: editedMounts(spec.mounts, edits.mounts),
    ...(hooks && { hooks }),
    linux: {
      ...linux,
      ...(devices.length > 0 && { devices }),
      resources: { ...linux.resources, devices: [...linux.resources.devices, ...deviceRules(edits)] },
    },
  }
}

function editedDevices({ process, linux }: OciSpec, edits: SpecEdits): OciDevice[] {
  const byPath = new Map((linux.devices ?? []).map((device) => [device.path, device]))
  for (const { access: _access, ...device } of edits.devices) {
    byPath.delete(device.path)
    byPath.set(device.path, { ...device, uid: device.uid ?? process.user.uid, gid: device.gid ?? process.user.gid })
  }
  return [...byPath.values()]
}

const deviceRules = ({ devices }: SpecEdits) =>
  devices.flatMap(({ type, major, minor, access }) =>
    type === 'p' || access === '' ? [] : [{ allow: true, type, major, minor, access }],
  )

/** Shallow destinations first again, so that no mount hides another. */
function editedMounts(mounts: readonly OciMount[], added: readonly OciMount[]): OciMount[] {
  if (added.length === 0) return [...mounts]
  const byDestination = new Map(mounts.map((mount) => [mount.destination, mount]))
  for (const mount of added) {
    byDestination.delete(mount.destination)
    byDestination.set(mount.destination, mount)
  }
  return [...byDestination.values()].sort((a, b) => depth(a.destination) - depth(b.destination))
}

const depth = (destination: string): number => destination.split('/').filter((part) => part !== '').length

function editedHooks({ hooks }: SpecEdits): OciSpec['hooks'] {
  if (hooks.length === 0) return undefined
  const byName: NonNullable<OciSpec['hooks']> = {}
  for (const { name, ...hook } of hooks) byName[name] = [...(byName[name] ?? []), hook]
  return byName
}
