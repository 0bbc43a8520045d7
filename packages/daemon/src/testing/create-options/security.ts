/** What a container may do, and which devices it has. */
import { hostRefuses, hostShows, type Row, refuses, shows } from './row.ts'

const capabilities = 'spec.process.capabilities.bounding'
const options = (value: string, at: Readonly<Record<string, unknown>>) => hostShows('SecurityOpt', [value], at)
const unknownOption = (value: string, text: string) => hostRefuses('SecurityOpt', [value], [500, text])

const processRights: readonly Row[] = [
  hostShows('CapAdd', ['NET_ADMIN'], { [`${capabilities}.14`]: 'CAP_NET_ADMIN' }),
  shows('HostConfig.CapAdd', ['CAP_SYS_TIME'], {
    'spec.process.capabilities.effective.14': 'CAP_SYS_TIME',
    'spec.process.capabilities.permitted.14': 'CAP_SYS_TIME',
  }),
  hostRefuses('CapAdd', ['NOPE'], [400, 'invalid CapAdd: unknown capability: "CAP_NOPE"']),
  hostShows('CapDrop', ['ALL'], { [capabilities]: [] }),
  hostRefuses('CapDrop', ['NOPE'], [400, 'invalid CapDrop: unknown capability: "CAP_NOPE"']),
  hostShows('Privileged', true, {
    [`${capabilities}.14`]: 'CAP_NET_ADMIN',
    'spec.linux.resources.devices': [{ allow: true, access: 'rwm' }],
    'spec.linux.seccomp': undefined,
    'spec.linux.maskedPaths': undefined,
    'spec.linux.readonlyPaths': undefined,
    'spec.process.apparmorProfile': 'unconfined',
    'inspect.HostConfig.SecurityOpt': ['label=disable'],
    'inspect.HostConfig.MaskedPaths': null,
    'inspect.AppArmorProfile': 'unconfined',
    'spec.mounts.3.options': ['nosuid', 'noexec', 'nodev'],
  }),
  hostShows('GroupAdd', ['2000', 'bob'], { 'spec.process.user.additionalGids': [0, 2000, 1000] }),
  hostRefuses(
    'GroupAdd',
    ['no-such-group'],
    [500, 'Unable to find group no-such-group: no matching entries in group file'],
  ),
  hostShows('MaskedPaths', ['/etc/motd'], { 'spec.linux.maskedPaths': ['/etc/motd'] }),
  hostShows('MaskedPaths', [], { 'spec.linux.maskedPaths': undefined }),
  hostShows('ReadonlyPaths', ['/proc/x'], { 'spec.linux.readonlyPaths': ['/proc/x'] }),
  hostShows('ReadonlyPaths', [], { 'spec.linux.readonlyPaths': undefined }),
  hostShows('ReadonlyRootfs', true, { 'spec.root.readonly': true }),
]

const securityOptions: readonly Row[] = [
  options('no-new-privileges', { 'spec.process.noNewPrivileges': true }),
  options('no-new-privileges=true', { 'spec.process.noNewPrivileges': true }),
  unknownOption('no-new-privileges=x', 'invalid --security-opt 2: "no-new-privileges=x"'),
  options('seccomp=unconfined', { 'spec.linux.seccomp': undefined }),
  options('seccomp={"defaultAction":"SCMP_ACT_LOG"}', { 'spec.linux.seccomp.defaultAction': 'SCMP_ACT_LOG' }),
  options('apparmor=own-profile', {
    'spec.process.apparmorProfile': 'own-profile',
    'inspect.AppArmorProfile': 'own-profile',
  }),
  options('apparmor=unconfined', { 'spec.process.apparmorProfile': 'unconfined' }),
  options('writable-cgroups', { 'spec.mounts.4.options': ['nosuid', 'noexec', 'nodev'] }),
  options('writable-cgroups=true', { 'spec.mounts.4.options': ['nosuid', 'noexec', 'nodev'] }),
  shows(
    'HostConfig.SecurityOpt',
    ['writable-cgroups', 'writable-cgroups=false'],
    { 'spec.mounts.4.options': ['ro', 'nosuid', 'noexec', 'nodev'] },
    { with: { HostConfig: { SecurityOpt: ['writable-cgroups'] } } },
  ),
  hostRefuses(
    'SecurityOpt',
    ['writable-cgroups'],
    [400, 'conflicting options: writable-cgroups and the cgroup namespace mode'],
    { with: { HostConfig: { CgroupnsMode: 'host' } } },
  ),
  unknownOption('writable-cgroups=x', 'invalid --security-opt 2: "writable-cgroups=x"'),
  // The client makes empty MaskedPaths and ReadonlyPaths of it.
  unknownOption('systempaths=unconfined', 'invalid --security-opt 2: "systempaths=unconfined"'),
  options('label=disable', {}),
  options('label=type:svirt_t', {}),
  unknownOption('nonsense', 'invalid --security-opt 1: "nonsense"'),
  unknownOption('nonsense=1', 'invalid --security-opt 2: "nonsense=1"'),
]

const cdi = { with: { HostConfig: { DeviceRequests: [{ Driver: 'cdi' }] } } }
const request = { Capabilities: [['gpu']] }
const noDriver = (driver: string, capabilities: string): [number, string] => [
  500,
  `could not select device driver "${driver}" with capabilities: ${capabilities}`,
]
const withDevices = (devices: readonly object[]) => ({ with: { HostConfig: { Devices: devices } } })
const zero = { PathOnHost: '/dev/zero', PathInContainer: '/dev/x', CgroupPermissions: 'rw' }

const devices: readonly Row[] = [
  shows(
    'HostConfig.Devices[].PathOnHost',
    '/dev/full',
    { 'spec.linux.devices.0.minor': 7, 'spec.linux.resources.devices.8.minor': 7 },
    withDevices([zero]),
  ),
  shows(
    'HostConfig.Devices[].PathInContainer',
    '/dev/y',
    { 'spec.linux.devices.0.path': '/dev/y', 'inspect.HostConfig.Devices.0.PathInContainer': '/dev/y' },
    withDevices([zero]),
  ),
  shows(
    'HostConfig.Devices[].CgroupPermissions',
    'r',
    { 'spec.linux.resources.devices.8.access': 'r' },
    withDevices([zero]),
  ),
  hostShows('DeviceCgroupRules', ['c 13:* rm'], {
    'spec.linux.resources.devices.8': { allow: true, type: 'c', major: 13, access: 'rm' },
  }),
  hostRefuses('DeviceCgroupRules', ['nonsense'], [500, "invalid device cgroup rule format: 'nonsense'"]),
  refuses('HostConfig.DeviceRequests[].Capabilities', [['gpu']], noDriver('', '[[gpu]]')),
  refuses('HostConfig.DeviceRequests[].Driver', 'nvidia', noDriver('nvidia', '[[gpu]]'), {
    with: { HostConfig: { DeviceRequests: [request] } },
  }),
  shows(
    'HostConfig.DeviceRequests[].DeviceIDs',
    ['vendor.com/class=node', 'vendor.com/class=plain'],
    {
      'spec.process.env.2': 'CDI=plain',
      'spec.linux.devices': [{ path: '/dev/cdi', type: 'c', major: 1, minor: 5, fileMode: 0o666, uid: 0, gid: 0 }],
      'spec.linux.resources.devices.8': { allow: true, type: 'c', major: 1, minor: 5, access: 'rw' },
      'inspect.HostConfig.DeviceRequests.0.DeviceIDs': ['vendor.com/class=node', 'vendor.com/class=plain'],
    },
    cdi,
  ),
  refuses(
    'HostConfig.DeviceRequests[].DeviceIDs',
    ['vendor.com/class=none'],
    [500, 'CDI device injection failed: unresolvable CDI devices vendor.com/class=none'],
    cdi,
  ),
  refuses('HostConfig.DeviceRequests[].Count', -1, [500, 'unexpected count in CDI device request'], cdi),
  refuses('HostConfig.DeviceRequests[].Options', { a: 'b' }, [500, 'unexpected options in CDI device request'], cdi),
]

export const securityRows: readonly Row[] = [...processRights, ...securityOptions, ...devices]
