/**
 * Images that containers have mounted: their layers as a read-only overlay, and what lies at a subpath bound from it.
 *
 *     <container>/images/<user>/<key>/image   the layers
 *                                     part    what lies at the subpath
 *                                     empty/  beside a single layer, since overlayfs wants two
 */
import { createHash } from 'node:crypto'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { EngineError, type HostHelper, type ImageMount, type MountIds } from '@dockerd-ts/core'
import { namesIn } from './directory-names.ts'
import type { OverlayMounts } from './overlay-mounts.ts'
import { isGone } from './safe-walk.ts'

export const imagesDirectory = 'images'

export class ImageMounts {
  readonly #mounts: OverlayMounts
  readonly #helper: Pick<HostHelper, 'mount' | 'removeTree' | 'resolveInRoot'>

  readonly #placed: (place: string, ids: MountIds) => string

  /** `placed` is where a path of the data root is to be taken from. */
  constructor(
    mounts: OverlayMounts,
    helper: Pick<HostHelper, 'mount' | 'removeTree' | 'resolveInRoot'>,
    placed: (place: string, ids: MountIds) => string,
  ) {
    this.#mounts = mounts
    this.#helper = helper
    this.#placed = placed
  }

  place(containerDirectory: string, { user, destination, subpath }: Omit<ImageMount, 'layers'>): string {
    const directory = path.join(containerDirectory, imagesDirectory, user, keyOf(destination))
    return path.join(directory, subpath ? 'part' : 'image')
  }

  /** Idempotent. Throws notFound in Docker's words when there is nothing at the subpath. */
  async mount(containerDirectory: string, image: ImageMount): Promise<string> {
    const target = this.place(containerDirectory, image)
    const directory = path.dirname(target)
    const root = path.join(directory, 'image')
    await mkdir(root, { recursive: true, mode: 0o755 })
    await this.#mountLayers(directory, image)
    if (image.subpath) await this.#bindPart(root, image.subpath, target)
    return target
  }

  async #mountLayers(directory: string, { layers, ...ids }: ImageMount): Promise<void> {
    const { layersRoot, directories } = layers
    // An image without layers is an empty directory.
    if (directories.length === 0) return
    const empty = path.join(directory, 'empty')
    const lower = directories.map((layer) => this.#placed(path.resolve(layersRoot, layer), ids))
    if (lower.length === 1) {
      await mkdir(empty, { recursive: true })
      lower.unshift(this.#placed(empty, ids))
    }
    await this.#mounts.mount(path.join(directory, 'image'), {
      workingDirectory: this.#placed(layersRoot, ids),
      lower,
    })
  }

  /** Links of the image lead nowhere but into the image. */
  async #bindPart(root: string, subpath: string, target: string): Promise<void> {
    const resolved = await this.#helper.resolveInRoot({ root, path: subpath, followLast: true }).catch((error) => {
      if (!isGone(error)) throw error
      const place = path.join(root, subpath)
      throw new EngineError('notFound', `cannot access path ${place}: lstat ${place}: no such file or directory`, {
        cause: error,
      })
    })
    try {
      // What is bound must be of the same kind as what it is bound on.
      if ((await stat(resolved.path)).isDirectory()) await mkdir(target, { recursive: true })
      else await writeFile(target, '')
      await this.#helper.mount({ source: resolved.path, target, flags: ['bind'] })
    } finally {
      await resolved.release()
    }
  }

  /** Of one user, or of all of them. Nothing there counts as done. */
  async release(containerDirectory: string, user?: string): Promise<void> {
    const root = path.join(containerDirectory, imagesDirectory)
    for (const name of user === undefined ? await namesIn(root) : [user]) {
      const directory = path.join(root, name)
      const keys = await namesIn(directory)
      for (const key of keys) {
        for (const place of ['part', 'image']) await this.#mounts.release(path.join(directory, key, place))
      }
      if (keys.length > 0) await this.#helper.removeTree(directory)
    }
  }
}

const keyOf = (destination: string): string => createHash('sha256').update(destination).digest('hex').slice(0, 16)
