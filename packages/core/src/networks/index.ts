/** What the networks of core offer to the other packages. */
export { AddressPool } from './address-pool.ts'
export { type BridgeOptions, bridgeOptionKeys, bridgeOptionsOf } from './bridge-options.ts'
export { chooseSubnet, dockerPools, type PoolSettings } from './default-pools.ts'
export { gatewayEndpoint } from './gateway-endpoint.ts'
export * from './inet.ts'
export { createNetworkService, type NetworkServiceDependencies } from './network-service.ts'
export { hostAddresses, isWildcard, type PortRange, PortTable } from './port-table.ts'
