/**
 * Root filesystems of containers: overlayfs over the layers of an image.
 *
 *     <dataRoot>/containers/<id>/layers.json   the image's layers, written at create
 *                                upper/ work/  the writable layer
 *                                merged/       where it is mounted
 *     <dataRoot>/init-layers/<key>/            one per image, see init-layer.ts
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rmdir, stat, statfs, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { EngineError, type HostHelper, type RootFilesystems } from '@dockerd-ts/core'
import { makeMountPoints } from './init-layer.ts'
import { readMountTable } from './mount-table.ts'
import { type Change, overlayChanges } from './overlay-changes.ts'
import { overlayFeatures, overlayOptions } from './overlay-options.ts'
import { isGone } from './safe-walk.ts'
import { treeSizeBytes } from './tree-size.ts'

export interface OverlayRootFilesystemsOptions {
  dataRoot: string
  helper: Pick<HostHelper, 'mount' | 'unmount' | 'removeTree'>
}

interface Layers {
  layersRoot: string
  /** Relative to layersRoot, topmost first. */
  directories: readonly string[]
  /** Directory name below init-layers. */
  initLayer: string
}

/** `GraphDriver.Data` of inspect. */
export interface OverlayDescription {
  LowerDir: string
  MergedDir: string
  UpperDir: string
  WorkDir: string
}

export class OverlayRootFilesystems implements RootFilesystems {
  readonly #containersRoot: string
  readonly #initLayersRoot: string
  readonly #helper: OverlayRootFilesystemsOptions['helper']
  #features: Promise<string[]> | undefined
  /** Init layers that are known to be complete, and those being made. */
  readonly #initLayers = new Map<string, Promise<void>>()
  /** How many uses of a mount are under way, so that a copy from a stopped container does not unmount another's. */
  readonly #uses = new Map<string, number>()

  constructor(options: OverlayRootFilesystemsOptions) {
    this.#containersRoot = path.join(options.dataRoot, 'containers')
    this.#initLayersRoot = path.join(options.dataRoot, 'init-layers')
    this.#helper = options.helper
  }

  async create(containerId: string, layers: { layersRoot: string; directories: readonly string[] }): Promise<void> {
    const directory = this.#directory(containerId)
    const initLayer = await this.#initLayer(layers)
    await mkdir(path.join(directory, 'upper'), { recursive: true, mode: 0o755 })
    await Promise.all([
      mkdir(path.join(directory, 'work'), { recursive: true, mode: 0o700 }),
      mkdir(path.join(directory, 'merged'), { recursive: true, mode: 0o755 }),
    ])
    const stored: Layers = { layersRoot: layers.layersRoot, directories: layers.directories, initLayer }
    const file = path.join(directory, 'layers.json')
    await writeFile(`${file}.new`, JSON.stringify(stored))
    await rename(`${file}.new`, file)
  }

  async mount(containerId: string): Promise<string> {
    const directory = this.#directory(containerId)
    const layers = await this.#layers(containerId)
    const target = path.join(directory, 'merged')
    await this.#mountOverlay(target, {
      workingDirectory: layers.layersRoot,
      lower: this.#lower(layers),
      upper: path.join(directory, 'upper'),
      work: path.join(directory, 'work'),
    })
    return target
  }

  async unmount(containerId: string): Promise<void> {
    await this.#release(path.join(this.#directory(containerId), 'merged'))
  }

  /**
   * Runs `work` with the root filesystem mounted, whether the container runs or not; what was not mounted before is
   * unmounted when the last use has ended.
   */
  async use<T>(containerId: string, work: (root: string) => Promise<T>): Promise<T> {
    const target = path.join(this.#directory(containerId), 'merged')
    const uses = this.#uses.get(containerId) ?? 0
    const mountedBefore = uses === 0 && (await readMountTable()).some((entry) => entry.mountPoint === target)
    // A container that runs holds its own mount; it is not ours to take away.
    if (mountedBefore) return work(target)
    this.#uses.set(containerId, uses + 1)
    try {
      return await work(await this.mount(containerId))
    } finally {
      const left = (this.#uses.get(containerId) ?? 1) - 1
      if (left > 0) this.#uses.set(containerId, left)
      else {
        this.#uses.delete(containerId)
        await this.unmount(containerId)
      }
    }
  }

  async remove(containerId: string): Promise<void> {
    const directory = this.#directory(containerId)
    await this.unmount(containerId)
    await Promise.all(['upper', 'work', 'merged'].map((name) => this.#helper.removeTree(path.join(directory, name))))
    await this.#helper.removeTree(path.join(directory, 'layers.json'))
    await rmdirUnlessUsed(directory)
  }

  async writableSizeBytes(containerId: string): Promise<number> {
    return treeSizeBytes(this.upperDirectory(containerId)).catch((error) => {
      if (isGone(error)) return 0
      throw error
    })
  }

  async changes(containerId: string): Promise<Change[]> {
    const layers = await this.#layers(containerId)
    return this.use(containerId, (merged) =>
      this.#withLower(layers, (lower) => overlayChanges({ upper: this.upperDirectory(containerId), merged, lower })),
    )
  }

  async existing(): Promise<string[]> {
    const names = await namesIn(this.#containersRoot)
    const found = new Set<string>()
    await Promise.all(
      names.map(async (name) => {
        if (await exists(path.join(this.#containersRoot, name, 'upper'))) found.add(name)
      }),
    )
    for (const { mountPoint } of await readMountTable()) {
      const [name, part] = path.relative(this.#containersRoot, mountPoint).split('/')
      if (name && name !== '..' && part === 'merged') found.add(name)
    }
    return [...found].sort()
  }

  /** The writable layer, in overlayfs's own form (whiteouts are devices), as `commit` packs it. */
  upperDirectory(containerId: string): string {
    return path.join(this.#directory(containerId), 'upper')
  }

  async describe(containerId: string): Promise<OverlayDescription> {
    const directory = this.#directory(containerId)
    return {
      LowerDir: this.#lower(await this.#layers(containerId)).join(':'),
      MergedDir: path.join(directory, 'merged'),
      UpperDir: path.join(directory, 'upper'),
      WorkDir: path.join(directory, 'work'),
    }
  }

  /** After a restart, before anything is created: init layers that no container names and half-made ones are removed. */
  async sweep(): Promise<void> {
    const used = new Set<string>()
    for (const id of await this.existing()) {
      const layers = await this.#layers(id).catch(() => undefined)
      if (layers) used.add(layers.initLayer)
    }
    const table = await readMountTable()
    for (const name of await namesIn(this.#initLayersRoot)) {
      if (used.has(name)) continue
      const directory = path.join(this.#initLayersRoot, name)
      for (const { mountPoint } of table) {
        if (mountPoint.startsWith(`${directory}/`)) await this.#release(mountPoint)
      }
      await this.#helper.removeTree(directory)
      this.#initLayers.delete(name)
    }
  }

  #directory(containerId: string): string {
    return path.join(this.#containersRoot, containerId)
  }

  async #layers(containerId: string): Promise<Layers> {
    return JSON.parse(await readFile(path.join(this.#directory(containerId), 'layers.json'), 'utf8')) as Layers
  }

  #lower(layers: Layers): string[] {
    return [
      path.join(this.#initLayersRoot, layers.initLayer),
      ...layers.directories.map((directory) => path.resolve(layers.layersRoot, directory)),
    ]
  }

  async #mountOverlay(target: string, directories: Parameters<typeof overlayOptions>[0]): Promise<void> {
    this.#features ??= overlayFeatures()
    try {
      await this.#helper.mount({
        source: 'overlay',
        target,
        fsType: 'overlay',
        data: overlayOptions(directories, await this.#features),
        workingDirectory: directories.workingDirectory,
      })
    } catch (error) {
      throw (await upperRefused(directories.upper, error)) ?? error
    }
  }

  /** Busy means that somebody still has a file open in it: the mount leaves the tree now and the kernel when they close. */
  async #release(target: string): Promise<void> {
    try {
      await this.#helper.unmount(target)
    } catch (error) {
      if (!isBusy(error)) throw error
      await this.#helper.unmount(target, { detach: true })
    }
  }

  /** The image alone, mounted read-only for as long as `work` takes. */
  async #withLower<T>(layers: Layers, work: (lower: string) => Promise<T>): Promise<T> {
    const lower = this.#lower(layers)
    const [only] = lower
    // overlayfs wants two; an image without layers has but the init layer.
    if (only !== undefined && lower.length === 1) return work(only)
    const target = path.join(this.#initLayersRoot, `.view-${randomBytes(6).toString('hex')}`, 'merged')
    await mkdir(target, { recursive: true })
    try {
      await this.#mountOverlay(target, { workingDirectory: layers.layersRoot, lower })
      return await work(target)
    } finally {
      await this.#release(target)
      await this.#helper.removeTree(path.dirname(target))
    }
  }

  /** The name of the image's init layer, made when it is not there yet. */
  async #initLayer(layers: { layersRoot: string; directories: readonly string[] }): Promise<string> {
    const key = await initLayerKey(layers)
    let made = this.#initLayers.get(key)
    if (!made) {
      made = this.#makeInitLayer(key, layers)
      this.#initLayers.set(key, made)
      made.catch(() => this.#initLayers.delete(key))
    }
    await made
    return key
  }

  async #makeInitLayer(key: string, layers: { layersRoot: string; directories: readonly string[] }): Promise<void> {
    const finished = path.join(this.#initLayersRoot, key)
    if (await exists(finished)) return
    const staging = path.join(this.#initLayersRoot, `.new-${randomBytes(6).toString('hex')}`)
    const [upper, work, merged] = ['upper', 'work', 'merged'].map((name) => path.join(staging, name)) as [
      string,
      string,
      string,
    ]
    await mkdir(upper, { recursive: true, mode: 0o755 })
    await Promise.all([mkdir(work), mkdir(merged)])
    try {
      const lower = layers.directories.map((directory) => path.resolve(layers.layersRoot, directory))
      if (lower.length === 0) await makeMountPoints(upper)
      else {
        await this.#mountOverlay(merged, { workingDirectory: layers.layersRoot, lower, upper, work })
        try {
          await makeMountPoints(merged)
        } finally {
          await this.#release(merged)
        }
      }
      await rename(upper, finished).catch((error) => {
        if (!isTaken(error)) throw error
      })
    } finally {
      await this.#helper.removeTree(staging)
    }
  }
}

/** Names of layers may be used again for other content: the topmost directory itself is part of the key. */
async function initLayerKey(layers: { layersRoot: string; directories: readonly string[] }): Promise<string> {
  const hash = createHash('sha256')
  for (const directory of layers.directories) hash.update(`${path.resolve(layers.layersRoot, directory)}\0`)
  const [top] = layers.directories
  if (top !== undefined) {
    const { ino, birthtimeNs } = await stat(path.resolve(layers.layersRoot, top), { bigint: true })
    hash.update(`${ino} ${birthtimeNs}`)
  }
  return hash.digest('hex').slice(0, 16)
}

const overlayMagic = 0x794c7630

/** overlayfs cannot hold the writable layer of another overlayfs; the kernel only says EINVAL. */
async function upperRefused(upper: string | undefined, cause: unknown): Promise<EngineError | undefined> {
  if (upper === undefined) return undefined
  const type = await statfs(upper).then(
    (result) => result.type,
    () => undefined,
  )
  if (type !== overlayMagic) return undefined
  return new EngineError(
    'internal',
    `cannot mount overlay: ${upper} lies on an overlay filesystem itself (a daemon in a container?); ` +
      'put --data-root on ext4, xfs, btrfs or tmpfs, for example on a volume',
    { cause },
  )
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code
const isBusy = (error: unknown): boolean => codeOf(error) === 'EBUSY'
const isTaken = (error: unknown): boolean => codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOTEMPTY'

async function exists(place: string): Promise<boolean> {
  return stat(place).then(
    () => true,
    (error) => {
      if (isGone(error)) return false
      throw error
    },
  )
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch((error) => {
    if (isGone(error)) return []
    throw error
  })
}

/** Other parts keep files of the container beside ours; the last one to leave removes the directory. */
async function rmdirUnlessUsed(directory: string): Promise<void> {
  await rmdir(directory).catch((error) => {
    if (codeOf(error) !== 'ENOTEMPTY' && !isGone(error)) throw error
  })
}
