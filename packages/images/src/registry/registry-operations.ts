/** pull, push, search, distribution and login. */
import { type Logger, notImplemented, type Platform } from '@dockerd-ts/core'
import type { ImageContext } from '../catalog/image-context.ts'
import type { RegistryOperations } from '../image-service.ts'
import type { RegistryOptions } from './registry-options.ts'

export function createRegistryOperations(_request: {
  context: ImageContext
  host: Platform
  logger: Logger
  options: Partial<RegistryOptions>
}): { operations: RegistryOperations; close(): Promise<void> } {
  const refuse = (): never => {
    throw notImplemented('registries are not served yet')
  }
  return {
    operations: { pull: refuse, push: refuse, search: refuse, distribution: refuse, login: refuse },
    close: async () => {},
  }
}
