/** Requests about containers' ends of networks whose answers are compared with dockerd's: settings, links, joined namespaces. */
import { type ComparedRequest, create, del, get, post, run } from './request.ts'

const endpoint = (network: string, settings: object) => ({
  HostConfig: { NetworkMode: network },
  NetworkingConfig: { EndpointsConfig: { [network]: settings } },
})

/** Asked in both places: where a container is made, and where one is connected. */
const settings: readonly object[] = [
  { IPAMConfig: { IPv4Address: '10.214.80.9' } },
  { IPAMConfig: { IPv4Address: '10.214.81.9' } },
  { IPAMConfig: { IPv4Address: 'x' } },
  { IPAMConfig: { IPv4Address: '::1' } },
  { IPAMConfig: { IPv6Address: '10.214.80.9' } },
  { IPAMConfig: { IPv6Address: 'fd00:a::9' } },
  { IPAMConfig: { IPv4Address: '10.214.81.9', IPv6Address: 'fd00:b::9' } },
  { IPAMConfig: { IPv4Address: 'x', IPv6Address: 'y', LinkLocalIPs: ['z'] } },
  { IPAMConfig: { LinkLocalIPs: ['169.254.7.7'] } },
  { IPAMConfig: { LinkLocalIPs: ['x', 'y'] } },
  { IPAMConfig: {} },
  { Aliases: ['one', 'two', 'one'] },
  { Links: ['ntarget:t'] },
  { Links: ['none-such'] },
  { MacAddress: '02:42:0a:00:00:77' },
  { MacAddress: 'x' },
  { DriverOpts: { a: 'b' } },
  { DriverOpts: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1' } },
]

const networks = ['nset', 'nauto', 'bridge', 'none', 'host']
/** Before API 1.44 dockerd tells a MAC address that came later only of the endpoint, and of the container's else. */
const lateSettings = settings.filter((one) => !/02:42/.test(JSON.stringify(one)))
const lateNetworks = ['nset', 'bridge', 'none', 'host']

const asked = [
  post('/networks/create', {
    Name: 'nset',
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: '10.214.80.0/24' }, { Subnet: 'fd00:a::/64' }] },
  }),
  post('/networks/create', { Name: 'nauto' }),
  create('ntarget', run('sleep 1000', { HostConfig: { NetworkMode: 'nset' } })),
  post('/containers/ntarget/start'),
  ...settings.flatMap((one) =>
    networks.flatMap((network) => [
      create('nmade', run('sleep 1000', endpoint(network, one))),
      get('/containers/nmade/json'),
      post('/containers/nmade/start'),
      get('/containers/nmade/json'),
      del('/containers/nmade?force=1'),
    ]),
  ),
  ...[{}, { NetworkMode: 'none' }, { NetworkMode: 'host' }].flatMap((HostConfig) => [
    ...[false, true].flatMap((started) => [
      create('nlate', run('sleep 1000', { HostConfig })),
      ...(started ? [post('/containers/nlate/start')] : []),
      ...lateSettings.flatMap((EndpointConfig) =>
        lateNetworks.flatMap((network) => [
          post(`/networks/${network}/connect`, { Container: 'nlate', EndpointConfig }),
          get('/containers/nlate/json'),
          post(`/networks/${network}/disconnect`, { Container: 'nlate' }),
        ]),
      ),
      del('/containers/nlate?force=1'),
    ]),
  ]),
  ...['nset', 'bridge', 'none'].flatMap((NetworkMode) => [
    create('nmany', {
      ...run('sleep 1000'),
      HostConfig: { NetworkMode },
      NetworkingConfig: { EndpointsConfig: { nset: { Aliases: ['al'] }, nauto: { Aliases: ['al'] } } },
    }),
    get('/containers/nmany/json'),
    post('/containers/nmany/start'),
    get('/containers/nmany/json'),
    del('/containers/nmany?force=1'),
  ]),
  del('/containers/ntarget?force=1'),
  del('/networks/nset'),
  del('/networks/nauto'),
]

export const networkRequests: readonly ComparedRequest[] = asked
