/** The texts in which Docker refuses image operations; clients match on them. */
import { conflict, type EngineError, notFound } from '../errors/engine-error.ts'
import type { Platform } from '../ports/images.ts'
import { formatPlatform } from './platform.ts'
import { familiarString, type ImageReference, withDefaultTag } from './reference.ts'

const shortId = (id: string) => id.replace(/^sha256:/, '').slice(0, 12)

/** `reference` is shown with its default tag, as Docker does; an id or digest as it is. */
export function noSuchImage(reference: ImageReference | string): EngineError {
  const shown = typeof reference === 'string' ? reference : familiarString(withDefaultTag(reference))
  return notFound(`No such image: ${shown}`)
}

export function platformMismatch(reference: string, wanted: Platform, actual: Platform): EngineError {
  return notFound(
    `image with reference ${reference} was found but does not match the specified platform: ` +
      `wanted ${formatPlatform(wanted)}, actual: ${formatPlatform(actual)}`,
  )
}

/** Removal of the last reference of an image that a container needs. */
export function referenceInUse(reference: string, containerId: string, imageId: string): EngineError {
  return conflict(
    `conflict: unable to remove repository reference "${reference}" (must force) - ` +
      `container ${shortId(containerId)} is using its referenced image ${shortId(imageId)}`,
  )
}

export type DeleteConflict =
  | { kind: 'running'; containerId: string }
  | { kind: 'stopped'; containerId: string }
  | { kind: 'dependents' }
  | { kind: 'repositories' }

/** Removal by id. Running containers and child images can't be overruled by force. */
export function imageDeleteConflict(imageId: string, reason: DeleteConflict): EngineError {
  const [force, text] = describeConflict(reason)
  return conflict(`conflict: unable to delete ${shortId(imageId)} (${force}) - ${text}`)
}

function describeConflict(reason: DeleteConflict): [string, string] {
  switch (reason.kind) {
    case 'running':
      return ['cannot be forced', `image is being used by running container ${shortId(reason.containerId)}`]
    case 'stopped':
      return ['must be forced', `image is being used by stopped container ${shortId(reason.containerId)}`]
    case 'dependents':
      return ['cannot be forced', 'image has dependent child images']
    case 'repositories':
      return ['must be forced', 'image is referenced in multiple repositories']
  }
}
