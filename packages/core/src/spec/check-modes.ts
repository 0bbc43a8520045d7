/** Which namespace modes exist, and what a shared network excludes. Texts are Docker's. */
import type { ContainerConfig, HostConfig } from '@dockerd-ts/api'
import { invalidArgument } from '../errors/engine-error.ts'

export function checkModes(hostConfig: HostConfig, config: ContainerConfig): void {
  checkNetworkMode(hostConfig, config)
  if (hostConfig.UTSMode === 'host' && config.Hostname) {
    throw invalidArgument('conflicting options: hostname and the UTS mode')
  }
  if (!['', 'host'].includes(hostConfig.UTSMode ?? '')) throw invalidArgument(`invalid UTS mode: ${hostConfig.UTSMode}`)
  if (!['', 'host'].includes(hostConfig.PidMode ?? '') && !/^container:./.test(hostConfig.PidMode ?? '')) {
    throw invalidArgument(`invalid PID mode: ${hostConfig.PidMode}`)
  }
  if (!/^(|none|host|private|shareable|container:.*)$/.test(hostConfig.IpcMode ?? '')) {
    throw invalidArgument(`invalid IPC mode: ${hostConfig.IpcMode}`)
  }
  if (!['', 'host', 'private'].includes(hostConfig.CgroupnsMode ?? '')) {
    throw invalidArgument(`invalid cgroup namespace mode: ${hostConfig.CgroupnsMode}`)
  }
}

function checkNetworkMode(hostConfig: HostConfig, config: ContainerConfig): void {
  const mode = hostConfig.NetworkMode ?? ''
  const links = (hostConfig.Links?.length ?? 0) > 0
  const undefinedBehavior = "can't be used with links. This would result in undefined behavior"
  if (mode === 'host' && links) {
    throw invalidArgument(`conflicting options: host type networking ${undefinedBehavior}`)
  }
  if (mode !== 'container' && !mode.startsWith('container:')) return
  if (mode === 'container' || mode === 'container:') {
    throw invalidArgument('Invalid network mode: invalid container format container:<name|id>')
  }
  const conflicts: [boolean, string][] = [
    [!!config.Hostname, 'hostname and the network mode'],
    [links, `container type network ${undefinedBehavior}`],
    [(hostConfig.Dns?.length ?? 0) > 0, 'dns and the network mode'],
    [(hostConfig.ExtraHosts?.length ?? 0) > 0, 'custom host-to-IP mapping and the network mode'],
    [
      Object.keys(hostConfig.PortBindings ?? {}).length > 0 || hostConfig.PublishAllPorts === true,
      'port publishing and the container type network mode',
    ],
    [Object.keys(config.ExposedPorts ?? {}).length > 0, 'port exposing and the container type network mode'],
  ]
  for (const [conflicting, text] of conflicts) {
    if (conflicting) throw invalidArgument(`conflicting options: ${text}`)
  }
}
