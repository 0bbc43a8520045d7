/** Keeps the init layers (see init-layer.ts), one per image: `<dataRoot>/init-layers/<key>`. */
import { createHash, randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { mkdir, rename, stat } from 'node:fs/promises'
import path from 'node:path'
import type { HostHelper } from '@dockerd-ts/core'
import { namesIn } from './directory-names.ts'
import { makeMountPoints } from './init-layer.ts'
import { readMountTable } from './mount-table.ts'
import type { OverlayMounts } from './overlay-mounts.ts'
import { isGone } from './safe-walk.ts'

export interface ImageLayers {
  layersRoot: string
  /** Relative to layersRoot, topmost first. */
  directories: readonly string[]
}

export class InitLayers {
  readonly #root: string
  readonly #mounts: OverlayMounts
  readonly #helper: Pick<HostHelper, 'removeTree'>
  /** Those that are known to be complete, and those being made. */
  readonly #made = new Map<string, Promise<void>>()
  /** Those that containers of former daemons use. */
  readonly #used = new Set<string>()
  /** Directories that are half made, or mounted for a moment. */
  readonly #busy = new Set<string>()

  constructor(options: { root: string; mounts: OverlayMounts; helper: Pick<HostHelper, 'removeTree'> }) {
    this.#root = options.root
    this.#mounts = options.mounts
    this.#helper = options.helper
  }

  directory(key: string): string {
    return path.join(this.#root, key)
  }

  /** The name of the image's init layer, made when it is not there yet. */
  async ensure(layers: ImageLayers): Promise<string> {
    const key = initLayerKey(layers)
    let made = this.#made.get(key)
    if (!made) {
      made = this.#make(key, layers)
      this.#made.set(key, made)
      made.catch(() => this.#made.delete(key))
    }
    await made
    return key
  }

  async #make(key: string, layers: ImageLayers): Promise<void> {
    const finished = path.join(this.#root, key)
    if (await exists(finished)) return
    const staging = path.join(this.#root, `.new-${randomBytes(6).toString('hex')}`)
    this.#busy.add(staging)
    await this.#makeIn(staging, finished, layers).finally(() => this.#busy.delete(staging))
  }

  async #makeIn(staging: string, finished: string, layers: ImageLayers): Promise<void> {
    const upper = path.join(staging, 'upper')
    const work = path.join(staging, 'work')
    const merged = path.join(staging, 'merged')
    await mkdir(upper, { recursive: true, mode: 0o755 })
    await Promise.all([mkdir(work), mkdir(merged)])
    try {
      const lower = layers.directories.map((directory) => path.resolve(layers.layersRoot, directory))
      if (lower.length === 0) await makeMountPoints(upper)
      else {
        await this.#mounts.mount(merged, { workingDirectory: layers.layersRoot, lower, upper, work })
        try {
          await makeMountPoints(merged)
        } finally {
          await this.#mounts.release(merged)
        }
      }
      await rename(upper, finished).catch((error) => {
        if (!isTaken(error)) throw error
      })
    } finally {
      await this.#helper.removeTree(staging)
    }
  }

  /** The image alone, mounted read-only for as long as `work` takes. */
  async view<T>(
    layers: { layersRoot: string; lower: readonly string[] },
    work: (image: string) => Promise<T>,
  ): Promise<T> {
    const { layersRoot, lower } = layers
    const [only] = lower
    // overlayfs wants two; an image without layers has but the init layer.
    if (only !== undefined && lower.length === 1) return work(only)
    const target = path.join(this.#root, `.view-${randomBytes(6).toString('hex')}`, 'merged')
    this.#busy.add(path.dirname(target))
    try {
      await mkdir(target, { recursive: true })
      await this.#mounts.mount(target, { workingDirectory: layersRoot, lower })
      return await work(target)
    } finally {
      await this.#mounts.release(target)
      await this.#helper.removeTree(path.dirname(target))
      this.#busy.delete(path.dirname(target))
    }
  }

  /** Directories of whole init layers, and of work under way. */
  directories(): { whole: string[]; busy: string[] } {
    const keys = new Set([...this.#used, ...this.#made.keys()])
    return { whole: [...keys].map((key) => this.directory(key)), busy: [...this.#busy] }
  }

  /** Names of what is there, half made layers too. */
  present(): Promise<string[]> {
    return namesIn(this.#root)
  }

  /** Removes layers that are not in `used`, and what was left half made. */
  async sweep(used: ReadonlySet<string>): Promise<void> {
    const table = await readMountTable()
    for (const key of used) this.#used.add(key)
    for (const name of await namesIn(this.#root)) {
      if (used.has(name)) continue
      const directory = path.join(this.#root, name)
      for (const { mountPoint } of table) {
        if (mountPoint.startsWith(`${directory}/`)) await this.#mounts.release(mountPoint)
      }
      await this.#helper.removeTree(directory)
      this.#made.delete(name)
    }
  }
}

/** Names of layers may be used again for other content: the topmost directory itself is part of the key. */
function initLayerKey(layers: ImageLayers): string {
  const hash = createHash('sha256')
  for (const directory of layers.directories) hash.update(`${path.resolve(layers.layersRoot, directory)}\0`)
  const [top] = layers.directories
  if (top !== undefined) {
    const { ino, birthtimeNs } = statSync(path.resolve(layers.layersRoot, top), { bigint: true })
    hash.update(`${ino} ${birthtimeNs}`)
  }
  return hash.digest('hex').slice(0, 16)
}

function isTaken(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EEXIST' || code === 'ENOTEMPTY'
}

async function exists(place: string): Promise<boolean> {
  return stat(place).then(
    () => true,
    (error) => {
      if (isGone(error)) return false
      throw error
    },
  )
}
