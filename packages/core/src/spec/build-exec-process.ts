/** The OCI process document of an exec: the container's own process, changed by what the exec asks for. */
import type { ContainerConfig } from '@dockerd-ts/api'
import { containerEnvironment, overrideEnvironment } from './environment.ts'
import type { OciProcess } from './oci-types.ts'
import type { ResolvedUser } from './resolve-user.ts'

export interface ExecProcessInput {
  /** `process` of the container's config.json: capabilities, limits and no-new-privileges are taken from it. */
  containerProcess: OciProcess
  /** The container's own, for its variables: TERM follows the exec's terminal, not the container's. */
  config: ContainerConfig
  hostname: string
  linkVariables?: readonly string[]
  command: readonly string[]
  /** Set when the exec names a user of its own. */
  user?: ResolvedUser
  /** The exec's variables, over the container's. */
  environment?: readonly string[]
  workingDirectory?: string
  terminal: boolean
  consoleSize?: { height: number; width: number }
  privileged: boolean
  /** Capabilities in the daemon's bounding set; a privileged exec gets them all. */
  availableCapabilities: readonly string[]
}

export function buildExecProcess(input: ExecProcessInput): OciProcess {
  const { terminal: _terminal, consoleSize: _consoleSize, ...inherited } = input.containerProcess
  const { config } = input
  const user = input.user ?? inherited.user
  const all = [...input.availableCapabilities]
  return {
    ...inherited,
    ...(input.terminal && { terminal: true }),
    ...(input.terminal && input.consoleSize && { consoleSize: input.consoleSize }),
    user: { uid: user.uid, gid: user.gid, ...(user.additionalGids && { additionalGids: user.additionalGids }) },
    args: [...input.command],
    env: overrideEnvironment(
      containerEnvironment({
        hostname: config.Hostname || input.hostname,
        terminal: input.terminal,
        configured: config.Env ?? [],
        ...(input.linkVariables && { linkVariables: input.linkVariables }),
      }),
      input.environment ?? [],
    ),
    cwd: input.workingDirectory || inherited.cwd,
    ...(input.privileged && { capabilities: { bounding: all, effective: all, permitted: all } }),
  }
}
