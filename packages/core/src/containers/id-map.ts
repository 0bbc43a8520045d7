/** User namespaces of containers (`--userns-remap`): which containers have one, and what cannot be had with it. */
import type * as wire from '@dockerd-ts/api'
import type { IdMap } from '../engine-dependencies.ts'
import { invalidArgument } from '../errors/engine-error.ts'
import type { ContainerContext } from './container-context.ts'

type Modes = Pick<wire.HostConfig, 'UsernsMode' | 'Privileged' | 'NetworkMode' | 'PidMode'>

/** undefined: the container's ids are the host's. */
export const idMapOf = (
  { settings }: Pick<ContainerContext, 'settings'>,
  { UsernsMode: mode }: Modes,
): IdMap | undefined => (mode === 'host' ? undefined : settings.idMap)

export const mountIdsOf = (context: Pick<ContainerContext, 'settings'>, hostConfig: Modes): { idMapped: boolean } => ({
  idMapped: idMapOf(context, hostConfig) !== undefined,
})

/** Throws invalidArgument. */
export function checkUserNamespace(context: Pick<ContainerContext, 'settings'>, hostConfig: Modes): void {
  if (idMapOf(context, hostConfig) === undefined) return
  if (hostConfig.Privileged) {
    throw invalidArgument(
      'privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode',
    )
  }
  if (hostConfig.NetworkMode === 'host') {
    throw invalidArgument("cannot share the host's network namespace when user namespaces are enabled")
  }
  if (hostConfig.PidMode === 'host') {
    throw invalidArgument('cannot share the host PID namespace when user namespaces are enabled')
  }
}
