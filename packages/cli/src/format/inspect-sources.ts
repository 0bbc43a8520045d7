/** Where `inspect` finds the objects of each kind. */
import type { ApiClient } from '../client/api-client.ts'
import { part } from '../commands/shared.ts'
import type { Inspected } from './inspect.ts'

export interface InspectOptions {
  /** Ask for the sizes of a container's file systems. */
  size?: boolean
  /** What is kept of a container that was removed. */
  removed?: boolean
  verbose?: boolean
  platform?: string | undefined
}

export type Kind = 'container' | 'image' | 'network' | 'volume'

const types = () => import('./api-types.ts')

export async function fetchObject(
  api: ApiClient,
  kind: Kind,
  name: string,
  options: InspectOptions = {},
): Promise<Inspected> {
  if (name.trim() === '') throw new Error(`Error response from daemon: page not found`)
  switch (kind) {
    case 'container': {
      const raw = await api.text('GET', `/containers/${part(name)}/json`, {
        query: { size: options.size ? 1 : undefined, removed: options.removed ? 1 : undefined },
      })
      return { raw: raw.trimEnd(), type: 'Container', table: async () => (await types()).containerTypes }
    }
    case 'image': {
      const raw = await api.text('GET', `/images/${part(name)}/json`, { query: { platform: options.platform } })
      return { raw: raw.trimEnd(), type: 'Image', table: async () => (await types()).imageTypes }
    }
    case 'network': {
      const raw = await api.text('GET', `/networks/${part(name)}`, {
        query: { verbose: options.verbose ? 'true' : undefined },
      })
      return { raw: raw.trimEnd(), type: 'Network', table: async () => (await types()).networkTypes }
    }
    case 'volume': {
      const raw = await api.text('GET', `/volumes/${part(name)}`)
      return { raw: raw.trimEnd(), type: 'Volume', table: async () => (await types()).volumeTypes }
    }
  }
}
