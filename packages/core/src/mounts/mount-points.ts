/** A container's mounts as inspect and list show them. */
import type * as wire from '@dockerd-ts/api'
import type { MountPlan } from '../containers/container-record.ts'

/** `Mounts[]` of the API; `mountpointOf` answers the path on the host of a mount's volume. */
export const mountPoints = (
  mounts: readonly MountPlan[],
  mountpointOf: (volume: MountPlan) => string,
): wire.MountPoint[] =>
  mounts.map((mount) => ({
    Type: mount.type,
    ...((mount.type === 'volume' || mount.type === 'image') && { Name: mount.name ?? '' }),
    Source: mount.type === 'volume' ? mountpointOf(mount) : mount.source,
    Destination: mount.destination,
    ...(mount.type === 'volume' && { Driver: mount.driver || 'local' }),
    Mode: mount.mode,
    RW: mount.readWrite,
    Propagation: mount.propagation,
  }))

/** Names of the volumes that a container uses, running or not. */
export const volumesOf = (mounts: readonly MountPlan[]): string[] => [
  ...new Set(mounts.flatMap((mount) => (mount.type === 'volume' && mount.name ? [mount.name] : []))),
]
