/** `GET /images/x/json`: what only clients before 1.45 are told, from where it is dropped. */
import type { ImageInspect } from '../schemas/images.ts'
import { isOlder } from './api-version.ts'

export function shapeImageInspect(image: ImageInspect, version: string): ImageInspect {
  if (isOlder(version, '1.45')) return image
  const { Container: _container, ContainerConfig: _config, ...shown } = image
  return shown
}
