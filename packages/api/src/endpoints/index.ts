/** The endpoint table. */
import { containerEndpoints, execEndpoints } from './containers.ts'
import type { EndpointSpec } from './define-endpoint.ts'
import { imageEndpoints } from './images.ts'
import { networkEndpoints } from './networks.ts'
import { systemEndpoints } from './system.ts'
import { volumeEndpoints } from './volumes.ts'

export const endpoints = {
  system: systemEndpoints,
  containers: containerEndpoints,
  exec: execEndpoints,
  images: imageEndpoints,
  networks: networkEndpoints,
  volumes: volumeEndpoints,
} as const

export const servedEndpoints: readonly EndpointSpec[] = Object.values(endpoints).flatMap(
  (group) => Object.values(group) as EndpointSpec[],
)
