/** What the answers about the engine itself are made of. */
import type { ContainerContext } from '../containers/container-context.ts'
import type { ImageService, VolumeService } from '../engine.ts'
import type { EngineDependencies } from '../engine-dependencies.ts'

export interface SystemParts {
  context: ContainerContext
  images: ImageService
  volumes: VolumeService
  disk: EngineDependencies['disk']
}
