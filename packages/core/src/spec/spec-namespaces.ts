/** Which namespaces a container gets, shares or joins, by its `*Mode` options. */
import type { HostConfig } from '@dockerd-ts/api'
import { internal, runtimeRefusal } from '../errors/engine-error.ts'
import type { OciNamespace, OciNamespaceType } from './oci-types.ts'

export interface NamespaceInput {
  hostConfig: HostConfig
  /**
   * Namespaces that exist: the container's own network (made before the start), and those of other containers that
   * `container:x` modes name, as /proc/<pid>/ns/….
   */
  paths: { network?: string; pid?: string; ipc?: string; user?: string }
  cgroupNamespaces: boolean
}

/** In dockerd's order. Throws internal when a namespace to join has no path. */
export function containerNamespaces({ hostConfig, paths, cgroupNamespaces }: NamespaceInput): OciNamespace[] {
  const namespaces: OciNamespace[] = [{ type: 'mount' }]
  if (paths.user !== undefined) namespaces.push({ type: 'user', path: paths.user })
  if (hostConfig.NetworkMode !== 'host') namespaces.push(join('network', paths.network))
  if (hostConfig.UTSMode !== 'host') namespaces.push({ type: 'uts' })
  const pidMode = hostConfig.PidMode ?? ''
  if (pidMode.startsWith('container:')) namespaces.push(join('pid', paths.pid))
  else if (pidMode !== 'host') namespaces.push({ type: 'pid' })
  const ipcMode = hostConfig.IpcMode ?? ''
  if (ipcMode.startsWith('container:')) namespaces.push(join('ipc', paths.ipc))
  else if (ipcMode !== 'host') namespaces.push({ type: 'ipc' })
  if (cgroupNamespaces && hostConfig.CgroupnsMode === 'private') namespaces.push({ type: 'cgroup' })
  return namespaces
}

function join(type: OciNamespaceType, path: string | undefined): OciNamespace {
  if (path === undefined) throw internal(`no ${type} namespace was prepared for the container`)
  return { type, path }
}

export interface SysctlInput {
  hostConfig: HostConfig
  domainname?: string
  /** In a user namespace of its own most groups have no id, so that a range of all of them is refused. */
  ownIds?: boolean
}

/** The user's sysctls over Docker's own: unprivileged ping and low ports in a network namespace of its own, domain name. */
export function containerSysctls({ hostConfig, domainname, ownIds }: SysctlInput): Record<string, string> {
  const sysctls: Record<string, string> = {}
  const networkMode = hostConfig.NetworkMode ?? ''
  if (networkMode !== 'host' && !networkMode.startsWith('container:')) {
    sysctls['net.ipv4.ip_unprivileged_port_start'] = '0'
    if (!ownIds) sysctls['net.ipv4.ping_group_range'] = '0 2147483647'
  }
  if (domainname && hostConfig.UTSMode !== 'host') sysctls['kernel.domainname'] = domainname
  return { ...sysctls, ...hostConfig.Sysctls }
}

/** A domain name needs a host name of the container's own; the runtime's words are an error's, as Docker has them. */
export function refuseHostSysctls({ UTSMode: mode }: HostConfig, domainname: string | undefined): void {
  if (domainname && mode === 'host')
    throw runtimeRefusal('sysctl "kernel.domainname" is not in a separate kernel namespace')
}
