/** Which namespaces a container has of its own. */
import { cgroupV1, hostRefuses, hostShows, type Row, shows } from './row.ts'

const namespaces = (...types: readonly unknown[]) => types.map((type) => (typeof type === 'string' ? { type } : type))
const network = { type: 'network', path: '/run/netns/a container’s id' }

export const namespaceRows: readonly Row[] = [
  hostShows('PidMode', 'host', {
    'spec.linux.namespaces': namespaces('mount', network, 'uts', 'ipc', 'cgroup'),
    'inspect.HostConfig.SecurityOpt': ['label=disable'],
  }),
  shows('HostConfig.PidMode', 'container:peer', {
    'spec.linux.namespaces.3': { type: 'pid', path: '/proc/pid/ns/pid' },
    'inspect.HostConfig.PidMode': 'container:an id',
  }),
  hostRefuses('PidMode', 'nonsense', [400, 'invalid PID mode: nonsense']),
  hostRefuses('PidMode', 'container:nobody', [400, 'No such container: nobody']),
  hostShows('IpcMode', 'host', {
    'spec.linux.namespaces': namespaces('mount', network, 'uts', 'pid', 'cgroup'),
    'spec.mounts.6.source': '/dev/shm',
  }),
  hostShows('IpcMode', 'none', { 'spec.mounts.6.destination': '/etc/resolv.conf' }),
  hostShows('IpcMode', 'shareable', { 'spec.mounts.6.source': '/data/containers/a container’s id/shm' }),
  shows('HostConfig.IpcMode', 'container:peer', {
    'spec.linux.namespaces.4': { type: 'ipc', path: '/proc/pid/ns/ipc' },
    'spec.mounts.6.source': '/data/containers/an id/shm',
    'inspect.HostConfig.IpcMode': 'container:an id',
  }),
  hostRefuses('IpcMode', 'nonsense', [400, 'invalid IPC mode: nonsense']),
  hostShows('UTSMode', 'host', {
    'spec.linux.namespaces': namespaces('mount', network, 'pid', 'ipc', 'cgroup'),
    'spec.hostname': undefined,
  }),
  hostRefuses('UTSMode', 'nonsense', [400, 'invalid UTS mode: nonsense']),
  hostRefuses('UTSMode', 'host', [400, 'conflicting options: hostname and the UTS mode'], { with: { Hostname: 'x' } }),
  hostShows('CgroupnsMode', 'host', { 'spec.linux.namespaces': namespaces('mount', network, 'uts', 'pid', 'ipc') }),
  hostShows(
    'CgroupnsMode',
    'private',
    { 'spec.linux.namespaces': namespaces('mount', network, 'uts', 'pid', 'ipc', 'cgroup') },
    { on: cgroupV1 },
  ),
  hostRefuses('CgroupnsMode', 'nonsense', [400, 'invalid cgroup namespace mode: nonsense']),
  hostShows('UsernsMode', 'host', {}),
  hostRefuses('UsernsMode', 'nonsense', [400, 'invalid user namespace mode: nonsense']),
  hostShows('Cgroup', 'container:peer', {}),
  hostShows('Isolation', 'default', {}),
  hostRefuses('Isolation', 'hyperv', [500, 'Invalid isolation: "hyperv" - linux only supports \'default\'']),
  hostShows('Sysctls', { 'kernel.msgmax': '1000' }, { 'spec.linux.sysctl[kernel.msgmax]': '1000' }),
  shows(
    'HostConfig.Sysctls',
    { 'net.ipv4.ip_forward': '1' },
    {
      'network.sysctls': { 'net.ipv4.ip_forward': '1' },
      'spec.linux.sysctl[net.ipv4.ip_forward]': '1',
    },
  ),
]
