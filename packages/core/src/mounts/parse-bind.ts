/** Parses HostConfig.Binds (`src:dst[:words]`, or a lone path for an anonymous volume) and HostConfig.VolumesFrom. */
import type * as wire from '@dockerd-ts/api'
import { invalidArgument } from '../errors/engine-error.ts'
import { checkMount } from './check-mount.ts'
import { invalidMode, isMountMode, type MountMode, readMountMode } from './mount-mode.ts'

/** A bind in the shape of a mount, with the words as the user wrote them. */
export interface ParsedBind {
  mount: wire.Mount
  mode: string
}

/** Throws invalidArgument `invalid volume specification: '…'` or `invalid mode: …`. */
export function parseBind(raw: string): ParsedBind {
  const { source, target, mode } = splitBind(raw)
  if (!isMountMode(mode)) throw invalidMode(mode)
  const words = readMountMode(mode)
  const mount: wire.Mount = {
    Type: source.startsWith('/') ? 'bind' : 'volume',
    Source: source,
    Target: target,
    ReadOnly: words.readOnly,
    ...(words.noCopy && { VolumeOptions: { NoCopy: true } }),
    ...(words.propagation !== '' && { BindOptions: { Propagation: words.propagation } }),
  }
  try {
    checkMount(mount)
  } catch (error) {
    throw invalidArgument(`${invalidSpecification(raw)}: ${(error as Error).message}`)
  }
  return { mount, mode }
}

const invalidSpecification = (raw: string): string => `invalid volume specification: '${raw}'`

function splitBind(raw: string): { source: string; target: string; mode: string } {
  const [first = '', second, third = '', ...rest] = raw.split(':')
  const malformed = first === '' || rest.length > 0
  if (second === undefined && !malformed) return { source: '', target: first, mode: '' }
  // `/foo:rw` names no mount point: words alone cannot follow a lone path.
  const modeAsTarget = raw.split(':').length === 2 && isMountMode(second ?? '')
  if (malformed || modeAsTarget) throw invalidArgument(invalidSpecification(raw))
  return { source: first, target: second ?? '', mode: third }
}

export interface ParsedVolumesFrom {
  /** Container name, id or id prefix. */
  container: string
  readOnly: boolean
}

/** Parses `container[:words]`. Throws invalidArgument in Docker's words. */
export function parseVolumesFrom(specification: string): ParsedVolumesFrom {
  if (specification === '') throw invalidArgument('volumes-from specification cannot be an empty string')
  const colon = specification.indexOf(':')
  const container = colon < 0 ? specification : specification.slice(0, colon)
  const mode = colon < 0 ? '' : specification.slice(colon + 1)
  if (!isMountMode(mode)) throw invalidMode(mode)
  const words: MountMode = readMountMode(mode)
  if (words.propagation !== '' || words.noCopy) throw invalidMode(mode)
  return { container, readOnly: words.readOnly }
}
