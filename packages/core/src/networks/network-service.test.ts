import type * as wire from '@dockerd-ts/api'
import t from 'tap'
import type { ContainerUser, ContainerUsers } from '../engine-dependencies.ts'
import { forbidden, notFound } from '../errors/engine-error.ts'
import type { EngineEvent } from '../ports/events.ts'
import type { ContainerNetworks, EndpointRow, NetworkRow } from '../ports/networks.ts'
import { createNetworkService } from './network-service.ts'

const row = (name: string, driver: string, more: Partial<NetworkRow> = {}): NetworkRow => ({
  id: `${name}-id`.padEnd(64, '0'),
  name,
  driver,
  scope: 'local',
  createdAtNs: '1700000000000000000',
  internal: false,
  attachable: false,
  ingress: false,
  enableIPv4: true,
  enableIPv6: false,
  ipam: { driver: 'default', options: null, config: [] },
  options: {},
  labels: {},
  ...more,
})

const user = (id: string, more: Partial<ContainerUser> = {}): ContainerUser => ({
  id: id.padEnd(64, '0'),
  name: id,
  running: true,
  hostname: 'host',
  domainname: '',
  networkMode: 'bridge',
  endpoints: { bridge: {} },
  volumeNames: [],
  portRequests: () => [],
  ...more,
})

/** Networks and containers in memory, as far as the service looks at them. */
function bench(containers: ContainerUser[] = []) {
  const bridge = row('bridge', 'bridge', {
    ipam: {
      driver: 'default',
      options: null,
      config: [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1', automatic: true }],
    },
    options: { 'com.docker.network.bridge.default_bridge': 'true' },
  })
  const rows = [bridge, row('host', 'host'), row('none', 'null')]
  const up = new Map<string, EndpointRow[]>()
  const events: EngineEvent[] = []
  const connected: unknown[] = []
  const endpoint = (containerId: string, networkId: string): EndpointRow => ({
    endpointId: 'e'.repeat(64),
    networkId,
    containerId,
    namespacePath: '/ns',
    hostInterface: 'veth0',
    containerInterface: 'eth0',
    mac: '02:42:ac:11:00:02',
    ipv4: '172.17.0.2',
    ipv4PrefixLength: 16,
    aliases: [],
    dnsNames: [],
    ports: [],
  })
  const networks: ContainerNetworks = {
    list: () => rows,
    resolve(reference) {
      const found = rows.find(({ id, name }) => name === reference || id === reference)
      if (found === undefined) throw notFound(`network ${reference} not found`)
      return found
    },
    endpointsOf: (id) => up.get(id) ?? [],
    async createNetwork(draft) {
      const made = { ...row(draft.name, draft.driver), ...draft }
      rows.push(made)
      return made
    },
    async removeNetwork(id) {
      rows.splice(
        rows.findIndex((candidate) => candidate.id === id),
        1,
      )
    },
    async connect(request) {
      connected.push(request)
      const made = endpoint(request.containerId, request.endpoint.network)
      up.set(request.containerId, [...(up.get(request.containerId) ?? []), made])
      return made
    },
    async disconnect(containerId, networkId) {
      up.set(
        containerId,
        (up.get(containerId) ?? []).filter((candidate) => candidate.networkId !== networkId),
      )
    },
    setUp: () => Promise.reject(forbidden('not here')),
    tearDown: async () => {},
    hostGateway: () => '172.17.0.1',
    reconcile: async () => ({ errors: [] }),
    close: async () => {},
    release: async () => {},
  }
  const users: ContainerUsers = {
    list: () => containers,
    find(reference) {
      const found = containers.find(({ id, name }) => id === reference || name === reference)
      if (found === undefined) throw notFound(`No such container: ${reference}`)
      return found
    },
    released: async (id) => void up.delete(id),
    exclusively: (_id, work) => work(),
    setEndpoint(id, network, settings) {
      const at = containers.findIndex((container) => container.id === id)
      const { [network]: _old, ...rest } = containers[at]?.endpoints ?? {}
      containers[at] = { ...user(id), ...containers[at], endpoints: settings ? { ...rest, [network]: settings } : rest }
    },
  }
  const service = createNetworkService({
    networks,
    users,
    events: { publish: (event) => events.push(event) },
    nowNs: () => 1_700_000_100_000_000_000n,
  })
  const raise = (container: ContainerUser, network: NetworkRow) =>
    up.set(container.id, [endpoint(container.id, network.id)])
  return { service, rows, events, connected, containers, raise, bridge }
}

interface Rejects {
  rejects(work: Promise<unknown>, wanted: { kind: string; message: string | RegExp }): Promise<unknown>
}

const refusal = (t: Rejects) => (work: Promise<unknown>, kind: string, message: string | RegExp) =>
  t.rejects(work, { kind, message })

t.test("the built-in networks have Docker's shapes", async (t) => {
  const one = user('one')
  const { service, raise, bridge } = bench([one])
  raise(one, bridge)
  t.match(await service.inspect('bridge', { verbose: false }), {
    Name: 'bridge',
    Created: '2023-11-14T22:13:20Z',
    Driver: 'bridge',
    IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }] },
    Containers: {
      [one.id]: {
        Name: 'one',
        EndpointID: 'e'.repeat(64),
        MacAddress: '02:42:ac:11:00:02',
        IPv4Address: '172.17.0.2/16',
        IPv6Address: '',
      },
    },
  })
  t.match(await service.inspect('none', { verbose: false }), { Driver: 'null', IPAM: { Config: null }, Containers: {} })
})

t.test("what cannot be created is refused in Docker's words", async (t) => {
  const refuses = refusal(t)
  const { service, events } = bench()
  const create = (body: wire.NetworkCreateRequest) => service.create(body)
  await create({ Name: 'taken' })
  const subnet = (config: wire.IPAMConfig) => create({ Name: 'x', IPAM: { Config: [config] } })
  await refuses(create({ Name: '' }), 'invalidArgument', /^invalid name: $/)
  await refuses(create({ Name: 'taken' }), 'conflict', 'network with name taken already exists')
  for (const name of ['bridge', 'host', 'none', 'default']) {
    await refuses(create({ Name: name }), 'forbidden', `operation is not permitted on predefined ${name} network `)
  }
  await refuses(create({ Name: 'x', Driver: 'zzz' }), 'notFound', 'plugin "zzz" not found')
  await refuses(create({ Name: 'x', Driver: 'host' }), 'forbidden', 'only one instance of "host" network is allowed')
  await refuses(
    create({ Name: 'x', Driver: 'overlay' }),
    'forbidden',
    /^This node is not a swarm manager\. Use "docker swarm init"/,
  )
  await refuses(
    create({ Name: 'x', Scope: 'swarm' }),
    'forbidden',
    'cannot create a swarm scoped network when swarm is not active',
  )
  await refuses(create({ Name: 'x', IPAM: { Driver: 'foo' } }), 'notFound', 'plugin "foo" not found')
  const invalid = 'invalid network config:\n'
  await refuses(
    subnet({ Gateway: '10.18.5.1' }),
    'invalidArgument',
    `${invalid}invalid subnet : invalid CIDR block notation`,
  )
  await refuses(
    subnet({ Subnet: '10.18.5.0/33' }),
    'invalidArgument',
    `${invalid}invalid subnet 10.18.5.0/33: invalid CIDR block notation`,
  )
  await refuses(
    subnet({ Subnet: '10.18.5.7/24' }),
    'invalidArgument',
    `${invalid}invalid subnet 10.18.5.7/24: it should be 10.18.5.0/24`,
  )
  const parent = "parent subnet 10.18.5.0/24 doesn't contain"
  await refuses(
    subnet({ Subnet: '10.18.5.0/24', Gateway: '10.19.5.1' }),
    'invalidArgument',
    `${invalid}invalid gateway 10.19.5.1: ${parent} this address`,
  )
  await refuses(
    subnet({ Subnet: '10.18.5.0/24', Gateway: 'x' }),
    'invalidArgument',
    `${invalid}invalid gateway x: invalid address`,
  )
  await refuses(
    subnet({ Subnet: '10.18.5.0/24', IPRange: '10.19.5.0/24' }),
    'invalidArgument',
    `${invalid}invalid ip-range 10.19.5.0/24: ${parent} ip-range`,
  )
  const option = (name: string, value: string) => create({ Name: 'x', Options: { [name]: value } })
  await refuses(
    option('com.docker.network.bridge.enable_icc', 'zz'),
    'invalidArgument',
    'failed to parse com.docker.network.bridge.enable_icc value: zz (strconv.ParseBool: parsing "zz": invalid syntax)',
  )
  await refuses(
    option('com.docker.network.driver.mtu', 'zz'),
    'invalidArgument',
    'failed to parse com.docker.network.driver.mtu value: zz (strconv.Atoi: parsing "zz": invalid syntax)',
  )
  await refuses(
    option('com.docker.network.bridge.host_binding_ipv4', 'zz'),
    'invalidArgument',
    'failed to parse com.docker.network.bridge.host_binding_ipv4 value: zz (nil ip)',
  )
  t.same(
    events.map(({ action, attributes }) => [action, attributes]),
    [['create', { name: 'taken', type: 'bridge' }]],
  )
})

t.test('connect: running containers at once, stopped ones at their next start', async (t) => {
  const stopped = user('stopped', { running: false })
  const { service, connected, containers, events, rows } = bench([user('one'), stopped])
  await service.create({ Name: 'front', IPAM: { Config: [{ Subnet: '10.1.0.0/16' }] } })
  const front = rows.find(({ name }) => name === 'front')
  await service.connect('front', {
    Container: 'one',
    EndpointConfig: { Aliases: ['al'], IPAMConfig: { IPv4Address: '10.1.0.9' }, GwPriority: 7 },
  })
  t.match(connected, [
    {
      containerName: 'one',
      endpoint: {
        network: front?.id,
        ipv4Address: '10.1.0.9',
        gwPriority: 7,
        aliases: ['one', 'al', 'one000000000', 'host'],
      },
    },
  ])
  t.match(events.at(-1), {
    action: 'connect',
    actorId: front?.id,
    attributes: { container: containers[0]?.id, name: 'front', type: 'bridge' },
  })
  const count = events.length
  await service.connect('front', { Container: 'stopped' })
  t.equal(connected.length, 1)
  t.equal(events.length, count)
  t.same(Object.keys(containers[1]?.endpoints ?? {}), ['bridge', 'front'])
  await service.disconnect('front', { Container: 'stopped' })
  t.same(Object.keys(containers[1]?.endpoints ?? {}), ['bridge'])
  t.match(events.at(-1), { action: 'disconnect', attributes: { container: containers[1]?.id } }, 'told of this one too')
  await service.disconnect('front', { Container: 'one' })
  t.match(events.at(-1), { action: 'disconnect', actorId: front?.id })
})

t.test("connect and disconnect are refused in Docker's words", async (t) => {
  const refuses = refusal(t)
  const { service } = bench([
    user('one'),
    user('hosted', { networkMode: 'host', endpoints: { host: {} } }),
    user('alone', { networkMode: 'none', endpoints: { none: {} } }),
    user('off', { running: false }),
  ])
  await service.create({ Name: 'front' })
  await service.create({ Name: 'chosen', IPAM: { Config: [{ Subnet: '10.1.0.0/16' }] } })
  const connect = (network: string, container: string, address?: string) =>
    service.connect(network, {
      Container: container,
      ...(address && { EndpointConfig: { IPAMConfig: { IPv4Address: address } } }),
    })
  await refuses(connect('zz', 'one'), 'notFound', 'network zz not found')
  await refuses(connect('front', 'zz'), 'notFound', 'No such container: zz')
  await refuses(
    connect('host', 'one'),
    'invalidArgument',
    'container cannot be disconnected from host network or connected to host network',
  )
  const alone = 'container cannot be connected to multiple networks with one of the networks in private (none) mode'
  await refuses(connect('none', 'one'), 'invalidArgument', alone)
  await refuses(connect('front', 'alone'), 'invalidArgument', alone)
  await refuses(
    connect('front', 'hosted'),
    'invalidArgument',
    'container sharing network namespace with another container or host cannot be connected to any other network',
  )
  const settings = 'invalid endpoint settings:\n'
  await refuses(
    connect('front', 'one', '172.17.0.77'),
    'invalidArgument',
    `${settings}user specified IP address is supported only when connecting to networks with user configured subnets`,
  )
  await refuses(
    connect('bridge', 'one', '172.17.0.77'),
    'invalidArgument',
    `${settings}user specified IP address is supported on user defined networks only`,
  )
  await refuses(
    connect('chosen', 'one', '10.2.0.1'),
    'invalidArgument',
    `${settings}no configured subnet or ip-range contain the IP address 10.2.0.1`,
  )
  const disconnect = (network: string, container: string, force = false) =>
    service.disconnect(network, { Container: container, Force: force })
  await refuses(disconnect('front', 'one'), 'internal', /^container one0+ is not connected to network front$/)
  await refuses(disconnect('front', 'off'), 'internal', /^container off0+ is not connected to the network front$/)
  await refuses(disconnect('front', 'zz'), 'notFound', 'No such container: zz')
  await refuses(disconnect('front', 'zz', true), 'notFound', 'endpoint zz not found')
  await refuses(
    disconnect('host', 'hosted'),
    'invalidArgument',
    'container cannot be disconnected from host network or connected to host network',
  )
})

t.test('remove and prune leave what is used, and what was always there', async (t) => {
  const refuses = refusal(t)
  const one = user('one', { endpoints: { named: {} }, running: false })
  const two = user('two')
  const { service, raise, rows, events } = bench([one, two])
  for (const name of ['used', 'named', 'free', 'kept', 'ending'])
    await service.create({ Name: name, Labels: name === 'kept' ? { keep: 'yes' } : {} })
  const used = rows.find(({ name }) => name === 'used')
  if (used) raise(two, used)
  await refuses(service.remove('bridge'), 'forbidden', 'bridge is a pre-defined network and cannot be removed')
  await refuses(
    service.remove('used'),
    'forbidden',
    `error while removing network: network used has active endpoints (name:"two" id:"${'e'.repeat(12)}")`,
  )
  await refuses(service.remove('zz'), 'notFound', 'network zz not found')
  const ending = rows.find(({ name }) => name === 'ending')
  if (ending) raise(one, ending)
  await service.remove('ending')
  t.notOk(rows.includes(ending as NetworkRow), 'an endpoint that is being let go is awaited, not held against it')
  t.same(await service.prune({ 'label!': ['keep'] }), { NetworksDeleted: ['free'] })
  t.match(events.slice(-2), [
    { action: 'destroy', attributes: { name: 'free', type: 'bridge' } },
    { action: 'prune', actorId: '', attributes: { reclaimed: '0' } },
  ])
  t.same(await service.prune({ until: ['24h'] }), { NetworksDeleted: null })
  t.same(await service.prune({}), { NetworksDeleted: ['kept'] })
  await service.remove('named')
  t.same(
    rows.map(({ name }) => name),
    ['bridge', 'host', 'none', 'used'],
  )
})

t.test('filters', async (t) => {
  const refuses = refusal(t)
  const one = user('one')
  const { service, raise, rows } = bench([one])
  for (const name of ['n1', 'n2', 'other'])
    await service.create({ Name: name, Labels: name === 'n1' ? { a: 'b' } : {} })
  const n2 = rows.find(({ name }) => name === 'n2')
  if (n2) raise(one, n2)
  const names = async (filters: Record<string, string[]>) => (await service.list(filters)).map(({ Name }) => Name)
  t.same(await names({ name: ['^n1$'] }), ['n1'])
  t.same(await names({ name: ['n1', 'n2'] }), ['n1', 'n2'])
  t.same(await names({ name: ['n['] }), [])
  t.same(await names({ id: ['host-i'] }), ['host'])
  t.same(await names({ type: ['custom'] }), ['n1', 'n2', 'other'])
  t.same(await names({ type: ['builtin'] }), ['bridge', 'host', 'none'])
  t.same(await names({ driver: ['null'] }), ['none'])
  t.same(await names({ driver: ['brid'] }), [])
  t.same(await names({ scope: ['swarm'] }), [])
  t.same(await names({ label: ['a=b'] }), ['n1'])
  t.same(await names({ label: ['a', 'z'] }), [])
  t.same(await names({ dangling: ['true'] }), ['n1', 'other'])
  t.same(await names({ dangling: ['0'] }), ['bridge', 'host', 'none', 'n2'])
  await refuses(service.list({ type: ['zz'] }), 'invalidArgument', "invalid filter: 'type'='zz'")
  await refuses(
    service.list({ dangling: ['zz'] }),
    'invalidArgument',
    'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
  )
})
