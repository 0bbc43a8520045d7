/** Networks, ports and names. */
import { configShows, hasNoEffect, hostRefuses, hostShows, type Row, refuses, shows } from './row.ts'

const onNet = { HostConfig: { NetworkMode: 'net' }, NetworkingConfig: { EndpointsConfig: { net: {} } } }
const endpoint = (field: string, value: unknown, at: Readonly<Record<string, unknown>>) =>
  shows(`NetworkingConfig.EndpointsConfig{}.${field}`, value, at, { with: onNet })
const endpointRefuses = (field: string, value: unknown, network: string, problem: string) =>
  refuses(
    `NetworkingConfig.EndpointsConfig{}.${field}`,
    value,
    [400, `invalid config for network ${network}: invalid endpoint settings:\n${problem}`],
    { with: { HostConfig: { NetworkMode: network }, NetworkingConfig: { EndpointsConfig: { [network]: {} } } } },
  )
const asked = 'network.endpoints.0'
const shown = 'inspect.NetworkSettings.Networks.net'
const published = { with: { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } } } }
const exposed = { ExposedPorts: { '80/tcp': {} } }

const networks: readonly Row[] = [
  hostShows('NetworkMode', 'none', { 'network.endpoints': [], 'names.mode': 'none' }),
  hostShows('NetworkMode', 'net', { 'network.endpoints.0.network': 'net', 'names.mode': 'user' }),
  hostShows('NetworkMode', 'host', {
    network: undefined,
    'names.mode': 'host',
    'inspect.Config.Hostname': 'host.example',
    'spec.linux.namespaces.1': { type: 'uts' },
  }),
  shows('HostConfig.NetworkMode', 'container:peer', {
    'spec.linux.namespaces.1': { type: 'network', path: '/proc/pid/ns/net' },
    'inspect.HostConfig.NetworkMode': 'container:an id',
    'inspect.NetworkSettings.Networks': {},
    names: undefined,
  }),
  hostRefuses('NetworkMode', 'container:', [400, 'Invalid network mode: invalid container format container:<name|id>']),
  hostRefuses('NetworkMode', 'no-such-network', [404, 'network no-such-network not found']),
  configShows('NetworkDisabled', true, {
    'network.endpoints': [],
    'inspect.NetworkSettings.Networks': {},
  }),
  shows('MacAddress', '02:42:ac:11:00:05', {
    'network.endpoints.0.mac': '02:42:ac:11:00:05',
    'inspect.Config.MacAddress': '02:42:ac:11:00:05',
  }),
  refuses('MacAddress', 'nonsense', [400, 'invalid config for network bridge: invalid MAC address nonsense']),
]

const ports: readonly Row[] = [
  configShows('ExposedPorts', { '80/tcp': {} }, { 'inspect.NetworkSettings.Ports': { '80/tcp': null } }),
  shows(
    'HostConfig.PortBindings{}[].HostPort',
    '9090',
    {
      'network.ports.0.hostPort': '9090',
      'inspect.HostConfig.PortBindings': { '80/tcp': [{ HostIp: '', HostPort: '9090' }] },
      'inspect.NetworkSettings.Ports[80/tcp].0.HostPort': '9090',
    },
    published,
  ),
  shows(
    'HostConfig.PortBindings{}[].HostIp',
    '127.0.0.1',
    { 'network.ports.0.hostIp': '127.0.0.1', 'inspect.NetworkSettings.Ports[80/tcp].0.HostIp': '127.0.0.1' },
    published,
  ),
  refuses('HostConfig.PortBindings{}[].HostPort', '99999', [400, 'invalid port specification: "99999"'], published),
  refuses('HostConfig.PortBindings{}[].HostIp', 'nonsense', [400, 'invalid IP address: nonsense'], published),
  hostShows('PublishAllPorts', true, { 'network.ports.0.containerPort': 80 }, { with: exposed }),
]

const names: readonly Row[] = [
  configShows('Hostname', 'web', { 'spec.hostname': 'web', 'names.hostname': 'web', 'network.hostname': 'web' }),
  configShows('Domainname', 'example.org', {
    'names.domainname': 'example.org',
    'network.domainname': 'example.org',
    'spec.linux.sysctl[kernel.domainname]': 'example.org',
  }),
  hostShows('Dns', ['9.9.9.9'], { 'names.dns': ['9.9.9.9'] }),
  hostRefuses('Dns', ['nonsense'], [500, 'bad nameserver address nonsense: ParseAddr("nonsense"): unable to parse IP']),
  hostShows('DnsOptions', ['ndots:2'], { 'names.dnsOptions': ['ndots:2'] }),
  hostShows('DnsSearch', ['example.org'], { 'names.dnsSearch': ['example.org'] }),
  hostShows('ExtraHosts', ['db:10.0.0.1'], { 'names.extraHosts': ['db:10.0.0.1'] }),
  hostRefuses('ExtraHosts', ['db'], [400, 'bad format for add-host: "db"']),
  hostRefuses('ExtraHosts', ['db:x'], [400, 'invalid IP address in add-host: "x"']),
  shows('HostConfig.Links', ['peer:db'], {
    'names.extraHosts.0': 'db short id peer:172.17.0.2',
    'inspect.HostConfig.Links': ['/peer:/web/db'],
    'spec.process.env.2': 'DB_NAME=/web/db',
    'spec.process.env.3': 'DB_ENV_PEER=1',
  }),
  hostRefuses('Links', ['a:b:c'], [400, 'bad format for links: a:b:c']),
]

const endpoints: readonly Row[] = [
  endpoint('IPAMConfig.IPv4Address', '172.20.0.9', {
    [`${asked}.ipv4Address`]: '172.20.0.9',
    [`${shown}.IPAddress`]: '172.20.0.9',
    [`${shown}.IPAMConfig`]: { IPv4Address: '172.20.0.9' },
  }),
  endpointRefuses(
    'IPAMConfig.IPv4Address',
    'x',
    'net',
    '* invalid IPv4 address: x\n* no configured subnet or ip-range contain the IP address x',
  ),
  endpointRefuses(
    'IPAMConfig.IPv4Address',
    '172.17.0.9',
    'bridge',
    'user specified IP address is supported on user defined networks only',
  ),
  endpoint('IPAMConfig.IPv6Address', 'fd00::9', {
    [`${asked}.ipv6Address`]: 'fd00::9',
    [`${shown}.IPAMConfig`]: { IPv6Address: 'fd00::9' },
  }),
  endpointRefuses(
    'IPAMConfig.IPv6Address',
    'x',
    'net',
    '* invalid IPv6 address: x\n* no configured subnet or ip-range contain the IP address x',
  ),
  endpointRefuses('IPAMConfig.LinkLocalIPs', ['x'], 'net', 'invalid link-local IP address: x'),
  endpoint('IPAMConfig.LinkLocalIPs', ['169.254.0.9'], { [`${asked}.linkLocalAddresses`]: ['169.254.0.9'] }),
  endpoint('Links', ['peer:db'], { [`${shown}.Links`]: ['peer:db'] }),
  endpoint('Aliases', ['www'], { [`${asked}.aliases.1`]: 'www', [`${shown}.Aliases`]: ['www'] }),
  endpointRefuses(
    'Aliases',
    ['web'],
    'bridge',
    'network-scoped alias is supported only for containers in user defined networks',
  ),
  endpoint(
    'DriverOpts',
    { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1' },
    {
      [`${asked}.sysctls`]: { 'net.ipv4.conf.IFNAME.log_martians': '1' },
      [`${shown}.DriverOpts`]: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1' },
    },
  ),
  endpoint('GwPriority', 5, { [`${asked}.gwPriority`]: 5, [`${shown}.GwPriority`]: 5 }),
  endpoint('MacAddress', '02:42:ac:14:00:05', { [`${asked}.mac`]: '02:42:ac:14:00:05' }),
  ...Object.entries({
    NetworkID: 'x',
    EndpointID: 'x',
    Gateway: '172.20.0.3',
    IPAddress: '172.20.0.9',
    IPPrefixLen: 24,
    IPv6Gateway: 'fd00::1',
    GlobalIPv6Address: 'fd00::9',
    GlobalIPv6PrefixLen: 80,
    DNSNames: ['x'],
  }).map(([field, value]) =>
    hasNoEffect(`NetworkingConfig.EndpointsConfig{}.${field}`, value, 'what the network has given is only shown', {
      with: onNet,
    }),
  ),
]

export const networkRows: readonly Row[] = [...networks, ...ports, ...names, ...endpoints]
