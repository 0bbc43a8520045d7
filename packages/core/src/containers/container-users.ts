/** What images, networks and volumes may know about containers. */
import type { ContainerUser, ContainerUsers } from '../engine-dependencies.ts'
import { volumesOf } from '../mounts/mount-points.ts'
import type { ImageUsage } from '../ports/images.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import { imagesOf } from './container-images.ts'
import { portRequests } from './container-network.ts'
import type { ContainerRecord } from './container-record.ts'
import { hasProcess, isRunning } from './container-state.ts'

export function createContainerUsers(context: ContainerContext): ContainerUsers {
  return {
    find: (reference) => toUser(context.registry.find(reference)),
    list: () => context.registry.records().map(recordToUser),
    released: async (containerId) => context.registry.get(containerId)?.released,
    exclusively: (containerId, work) => context.locks.run(containerId, work),
    setEndpoint: (containerId, network, settings) => {
      const { record } = context.registry.find(containerId)
      if (settings === undefined) delete record.endpoints[network]
      else record.endpoints[network] = settings
      context.records.updateContainer(record)
    },
  }
}

const toUser = ({ record }: Container): ContainerUser => recordToUser(record)

const recordToUser = (record: ContainerRecord): ContainerUser => ({
  id: record.id,
  name: record.name,
  running: hasProcess(record.status),
  hostname: record.config.Hostname ?? '',
  domainname: record.config.Domainname ?? '',
  networkMode: record.hostConfig.NetworkMode ?? '',
  endpoints: record.endpoints,
  volumeNames: volumesOf(record.mounts),
  portRequests: () => (record.config.NetworkDisabled ? [] : portRequests(record)),
})

export const imageUsage = (context: ContainerContext): ImageUsage => ({
  containersOf: (imageId) =>
    context.registry
      .records()
      .filter((record) => imagesOf(record).includes(imageId))
      .map((record) => ({ id: record.id, name: record.name, running: isRunning(record.status) })),
})
