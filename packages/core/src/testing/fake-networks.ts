/** Networks, their endpoints and the files of names in memory. */
import { notFound } from '../errors/engine-error.ts'
import type { ContainerNetworks, EndpointRow, NameFiles, NetworkRow, SetUpRequest } from '../ports/networks.ts'
import { call, type FakeHostState } from './fake-host-state.ts'

const builtIn = (name: string, driver: string): NetworkRow => ({
  id: name.padEnd(64, '0'),
  name,
  driver,
  scope: 'local',
  createdAtNs: '1',
  internal: false,
  attachable: false,
  ingress: false,
  enableIPv4: true,
  enableIPv6: false,
  ipam: { driver: 'default', options: {}, config: [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }] },
  options: {},
  labels: {},
})

export interface FakeNetworks extends ContainerNetworks {
  readonly requests: SetUpRequest[]
}

export function fakeNetworks(state: FakeHostState): FakeNetworks {
  const networks = [builtIn('bridge', 'bridge'), builtIn('host', 'host'), builtIn('none', 'null')]
  const requests: SetUpRequest[] = []
  let lastOctet = 1
  const resolve = (reference: string): NetworkRow => {
    const name = reference === 'default' ? 'bridge' : reference
    const found = networks.find((network) => network.name === name || network.id.startsWith(name))
    if (found === undefined) throw notFound(`network ${reference} not found`)
    return found
  }
  return {
    requests,
    resolve,
    list: () => networks,
    setUp: async (request) => {
      call(state, 'network.setUp', request.containerId)
      requests.push(request)
      const namespacePath = `/run/netns/${request.containerId}`
      const endpoints = request.endpoints.map((plan): EndpointRow => {
        const network = resolve(plan.network)
        lastOctet += 1
        return {
          endpointId: `e${lastOctet}`.padEnd(64, '0'),
          networkId: network.id,
          containerId: request.containerId,
          namespacePath,
          hostInterface: `veth${lastOctet}`,
          containerInterface: 'eth0',
          mac: '02:42:ac:11:00:02',
          ipv4: plan.ipv4Address ?? `172.17.0.${lastOctet}`,
          ipv4PrefixLength: 16,
          gateway: '172.17.0.1',
          aliases: [],
          dnsNames: [],
          ports: request.ports.map(({ protocol, containerPort, hostIp, hostPort }) => ({
            protocol,
            containerPort,
            hostIp: hostIp || '0.0.0.0',
            hostPort: Number(hostPort) || 49_153,
          })),
        }
      })
      state.endpoints.set(request.containerId, endpoints)
      const { userNamespace: asked } = request
      const userNamespacePath = asked && ('path' in asked ? asked.path : `/run/userns/${request.containerId}`)
      return { namespacePath, ...(userNamespacePath && { userNamespacePath }), endpoints }
    },
    tearDown: async (id) => {
      call(state, 'network.tearDown', id)
      state.endpoints.delete(id)
    },
    endpointsOf: (id) => state.endpoints.get(id) ?? [],
    connect: async () => {
      throw new Error('the fake connects at start only')
    },
    disconnect: async (id, networkId) => {
      call(state, 'network.disconnect', id)
      const rest = (state.endpoints.get(id) ?? []).filter((row) => row.networkId !== networkId)
      state.endpoints.set(id, rest)
    },
    createNetwork: async (draft) => {
      const network = { ...builtIn(draft.name, draft.driver), ...draft }
      networks.push(network)
      return network
    },
    removeNetwork: async (id) => {
      const index = networks.findIndex((network) => network.id === id)
      if (index >= 0) networks.splice(index, 1)
    },
    hostGateway: () => '172.17.0.1',
    close: async () => {},
    release: async () => call(state, 'network.release', ''),
    reconcile: async (live) => {
      for (const id of state.endpoints.keys()) if (!live.has(id)) state.endpoints.delete(id)
      return { errors: [] }
    },
  }
}

export const fakeNameFiles = (state: FakeHostState): NameFiles => ({
  write: async (request) => {
    const { directory } = request
    call(state, 'nameFiles.write', directory)
    state.nameFiles.push(request)
    return {
      hostnamePath: `${directory}/hostname`,
      hostsPath: `${directory}/hosts`,
      resolvConfPath: `${directory}/resolv.conf`,
    }
  },
})
