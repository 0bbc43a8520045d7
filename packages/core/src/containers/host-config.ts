/** The daemon's own defaults for a HostConfig, around the rules of the spec about options, resources and security. */
import type * as wire from '@dockerd-ts/api'
import { invalidArgument } from '../errors/engine-error.ts'
import { checkLogConfig, effectiveLogConfig } from '../logs/log-config.ts'
import { checkHostConfig, type HostConfigCheck } from '../spec/index.ts'
import { parseSignal } from '../support/signals.ts'
import type { ContainerContext } from './container-context.ts'
import { checkUserNamespace } from './id-map.ts'

/** Throws invalidArgument in Docker's words. The request's own objects are left alone. */
export function adaptHostConfig(
  context: ContainerContext,
  config: wire.ContainerConfig,
  asked: wire.HostConfig,
): HostConfigCheck {
  const { settings, runtimes, hostDescription } = context
  if (config.StopSignal && parseSignal(config.StopSignal) === undefined) {
    throw invalidArgument(`invalid signal: ${config.StopSignal}`)
  }
  const checked = checkHostConfig(withDaemonDefaults(context, asked), config, hostDescription)
  const { hostConfig } = checked
  checkUserNamespace(context, hostConfig)
  hostConfig.Runtime = asked.Runtime || runtimes.defaultName
  if (!Object.hasOwn(runtimes.list(), hostConfig.Runtime)) {
    throw invalidArgument(`unknown or invalid runtime name: ${hostConfig.Runtime}`)
  }
  const log = effectiveLogConfig(asked.LogConfig, settings.defaultLogConfig)
  checkLogConfig(log.Type, log.Config, context.logTargets)
  hostConfig.LogConfig = log
  if ((asked.MemorySwappiness ?? -1) === -1) hostConfig.MemorySwappiness = null
  return checked
}

function withDaemonDefaults({ settings, hostDescription }: ContainerContext, asked: wire.HostConfig): wire.HostConfig {
  const named = new Set((asked.Ulimits ?? []).map((ulimit) => ulimit.Name))
  const ulimits = settings.defaultUlimits.filter((ulimit) => !named.has(ulimit.Name))
  const securityOptions = asked.SecurityOpt ?? sharedLabels(asked)
  const addNoNewPrivileges =
    settings.noNewPrivileges && !securityOptions.some((option) => option.startsWith('no-new-privileges'))
  // Docker's rule: on cgroup v1 a privileged container works with the groups of the whole host.
  const hostGroups = asked.Privileged && hostDescription.cgroup.version === '1'
  return {
    ...asked,
    ShmSize: asked.ShmSize || settings.defaultShmSizeBytes,
    IpcMode: asked.IpcMode || settings.defaultIpcMode,
    CgroupnsMode: asked.CgroupnsMode || (hostGroups ? 'host' : settings.defaultCgroupNamespaceMode),
    ...(ulimits.length > 0 && { Ulimits: [...(asked.Ulimits ?? []), ...ulimits] }),
    ...(securityOptions.length > 0 && { SecurityOpt: securityOptions }),
    ...(addNoNewPrivileges && { SecurityOpt: [...securityOptions, 'no-new-privileges'] }),
  }
}

/** What is not kept apart from the host cannot be labelled apart from it. */
function sharedLabels({ PidMode: pid, IpcMode: ipc, Privileged: privileged }: wire.HostConfig): string[] {
  return privileged || pid === 'host' || ipc === 'host' ? ['label=disable'] : []
}
