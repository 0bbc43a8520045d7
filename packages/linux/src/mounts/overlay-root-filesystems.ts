/**
 * Root filesystems of containers: overlayfs over the layers of an image.
 *
 *     <dataRoot>/containers/<id>/layers.json   the image's layers, written at create
 *                                upper/ work/  the writable layer
 *                                merged/       where it is mounted
 *                                images/       images that it has mounted, see image-mounts.ts
 *     <dataRoot>/init-layers/<key>/            one per image, see init-layer.ts
 */
import { mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import {
  type DiskClaim,
  type DiskOwner,
  type HostHelper,
  type ImageMount,
  imageUserOfRun,
  internal,
  KeyedMutex,
  type MountIds,
  type RootFilesystems,
} from '@dockerd-ts/core'
import { namesIn } from './directory-names.ts'
import { ImageMounts, imagesDirectory } from './image-mounts.ts'
import { type ImageLayers, InitLayers } from './init-layers.ts'
import { makeDirectoryInRoot } from './make-directory.ts'
import { readMountTable } from './mount-table.ts'
import { type Change, overlayChanges } from './overlay-changes.ts'
import { OverlayMounts } from './overlay-mounts.ts'
import { isGone } from './safe-walk.ts'
import { treeSizeBytes } from './tree-size.ts'

export interface OverlayRootFilesystemsOptions {
  dataRoot: string
  helper: Pick<HostHelper, 'mount' | 'unmount' | 'removeTree' | 'resolveInRoot'>
  /** Where the data root is mounted with its ids mapped; layers of containers with a user namespace are taken from there. */
  mapped?: { dataRoot: string; idMap: string }
}

interface ContainerLayers extends ImageLayers {
  /** Directory name below init-layers. */
  initLayer: string
}

const ownNames = new Set(['upper', 'work', 'merged', imagesDirectory, 'layers.json', 'layers.json.new'])

export class OverlayRootFilesystems implements RootFilesystems, DiskOwner {
  readonly #dataRoot: string
  readonly #mapped: OverlayRootFilesystemsOptions['mapped']
  readonly #containersRoot: string
  readonly #helper: OverlayRootFilesystemsOptions['helper']
  readonly #mounts: OverlayMounts
  readonly #initLayers: InitLayers
  readonly #images: ImageMounts
  /** Uses of a mount that are under way, and whether the container's own life holds it too. */
  readonly #holds = new Map<string, { uses: number; mounted: boolean }>()
  /** Of one container, one mount or unmount at a time: two overlays over one writable layer would corrupt it. */
  readonly #locks = new KeyedMutex()

  constructor(options: OverlayRootFilesystemsOptions) {
    this.#dataRoot = options.dataRoot
    this.#mapped = options.mapped
    this.#containersRoot = path.join(options.dataRoot, 'containers')
    this.#helper = options.helper
    this.#mounts = new OverlayMounts(options.helper)
    this.#images = new ImageMounts(this.#mounts, options.helper, (place, ids) => this.#placed(place, ids))
    const root = path.join(options.dataRoot, 'init-layers')
    this.#initLayers = new InitLayers({ root, mounts: this.#mounts, helper: options.helper })
  }

  async create(containerId: string, layers: ImageLayers): Promise<void> {
    const directory = this.#directory(containerId)
    const initLayer = await this.#initLayers.ensure(layers)
    // Synchronous: each takes microseconds, the way to another thread and back a hundred times that.
    mkdirSync(path.join(directory, 'upper'), { recursive: true, mode: 0o755 })
    mkdirSync(path.join(directory, 'work'), { recursive: true, mode: 0o700 })
    mkdirSync(path.join(directory, 'merged'), { recursive: true, mode: 0o755 })
    const stored: ContainerLayers = { layersRoot: layers.layersRoot, directories: layers.directories, initLayer }
    const file = path.join(directory, 'layers.json')
    writeFileSync(`${file}.new`, JSON.stringify(stored))
    renameSync(`${file}.new`, file)
  }

  async makeDirectory(containerId: string, directory: string, ids: MountIds = {}): Promise<'made' | 'existed'> {
    const root = await this.mount(containerId, ids)
    try {
      const idMap = ids.idMapped ? this.#requireMapped().idMap : undefined
      return await makeDirectoryInRoot({ helper: this.#helper, root, directory, idMap })
    } finally {
      await this.unmount(containerId)
    }
  }

  async mount(containerId: string, ids: MountIds = {}): Promise<string> {
    return this.#locks.run(containerId, async () => {
      const target = await this.#mountLocked(containerId, ids)
      this.#holds.set(containerId, { uses: this.#holds.get(containerId)?.uses ?? 0, mounted: true })
      return target
    })
  }

  async unmount(containerId: string): Promise<void> {
    await this.#locks.run(containerId, async () => {
      const uses = this.#holds.get(containerId)?.uses ?? 0
      // Without uses all of them: those of copies that a daemon did not live to end are among them.
      await this.#images.release(this.#directory(containerId), uses > 0 ? imageUserOfRun : undefined)
      if (uses > 0) {
        this.#holds.set(containerId, { uses, mounted: false })
        return
      }
      await this.#mounts.release(this.#target(containerId))
      this.#holds.delete(containerId)
    })
  }

  mountImage(containerId: string, image: ImageMount): Promise<string> {
    return this.#locks.run(containerId, () => this.#images.mount(this.#directory(containerId), image))
  }

  imageMountPoint(containerId: string, image: Omit<ImageMount, 'layers'>): string {
    return this.#images.place(this.#directory(containerId), image)
  }

  unmountImages(containerId: string, user: string): Promise<void> {
    return this.#locks.run(containerId, () => this.#images.release(this.#directory(containerId), user))
  }

  async use<T>(containerId: string, work: (root: string) => Promise<T>, ids: MountIds = {}): Promise<T> {
    const target = await this.#locks.run(containerId, async () => {
      const hold = this.#holds.get(containerId) ?? { uses: 0, mounted: await this.#isMounted(containerId) }
      const root = hold.mounted || hold.uses > 0 ? this.#target(containerId) : await this.#mountLocked(containerId, ids)
      this.#holds.set(containerId, { ...hold, uses: hold.uses + 1 })
      return root
    })
    try {
      return await work(target)
    } finally {
      await this.#locks.run(containerId, () => this.#endUse(containerId))
    }
  }

  async #endUse(containerId: string): Promise<void> {
    const hold = this.#holds.get(containerId)
    // Removed meanwhile, with everything that was mounted.
    if (hold === undefined) return
    const uses = hold.uses - 1
    if (uses > 0 || hold.mounted) this.#holds.set(containerId, { ...hold, uses })
    else {
      this.#holds.delete(containerId)
      await this.#mounts.release(this.#target(containerId))
    }
  }

  /** A container that a former daemon started holds its own mount. */
  async #isMounted(containerId: string): Promise<boolean> {
    const target = this.#target(containerId)
    return (await readMountTable()).some((entry) => entry.mountPoint === target)
  }

  async #mountLocked(containerId: string, ids: MountIds): Promise<string> {
    const directory = this.#directory(containerId)
    const layers = await this.#layers(containerId)
    const target = this.#target(containerId)
    const mapped = ids.idMapped ? this.#requireMapped() : undefined
    const placed = (place: string) => this.#placed(place, ids)
    await this.#mounts.mount(target, {
      workingDirectory: placed(layers.layersRoot),
      lower: this.#lower(layers).map(placed),
      upper: placed(path.join(directory, 'upper')),
      work: placed(path.join(directory, 'work')),
      ...(mapped && { idMap: mapped.idMap }),
    })
    return target
  }

  #placed(place: string, { idMapped }: MountIds): string {
    return idMapped ? path.join(this.#requireMapped().dataRoot, path.relative(this.#dataRoot, place)) : place
  }

  #requireMapped(): NonNullable<OverlayRootFilesystemsOptions['mapped']> {
    if (this.#mapped === undefined) throw internal('the data root is not mounted with mapped ids')
    return this.#mapped
  }

  #target(containerId: string): string {
    return path.join(this.#directory(containerId), 'merged')
  }

  async remove(containerId: string): Promise<void> {
    const directory = this.#directory(containerId)
    await this.#locks.run(containerId, async () => {
      this.#holds.delete(containerId)
      // Whoever still copies has it mounted in a namespace of its own.
      await this.#mounts.release(this.#target(containerId))
      await this.#images.release(directory)
    })
    await Promise.all([...ownNames].map((name) => this.#helper.removeTree(path.join(directory, name))))
    rmdirUnlessUsed(directory)
  }

  async writableSizeBytes(containerId: string): Promise<number> {
    return treeSizeBytes(this.upperDirectory(containerId)).catch((error) => {
      if (isGone(error)) return 0
      throw error
    })
  }

  async changes(containerId: string, ids: MountIds = {}): Promise<Change[]> {
    const layers = await this.#layers(containerId)
    // Of the merged tree only names count: owners are compared as they are on disk.
    const compare = (merged: string) =>
      this.#initLayers.view({ layersRoot: layers.layersRoot, lower: this.#lower(layers) }, (lower) =>
        overlayChanges({ upper: this.upperDirectory(containerId), merged, lower }),
      )
    return this.use(containerId, compare, ids)
  }

  async existing(isKnown: (containerId: string) => boolean): Promise<{ unknown: string[]; mounted: string[] }> {
    const mounted = new Set<string>()
    for (const { mountPoint } of await readMountTable()) {
      const [name, part] = path.relative(this.#containersRoot, mountPoint).split('/')
      if (name && name !== '..' && (part === 'merged' || part === imagesDirectory)) mounted.add(name)
    }
    const unknown = new Set([...mounted].filter((name) => !isKnown(name)))
    const strangers = (await namesIn(this.#containersRoot)).filter((name) => !isKnown(name))
    await Promise.all(
      strangers.map(async (name) => {
        const parts = await namesIn(path.join(this.#containersRoot, name))
        // Any of them: a removal may have been cut short between two.
        if (parts.some((part) => ownNames.has(part))) unknown.add(name)
      }),
    )
    return { unknown: [...unknown].sort(), mounted: [...mounted].filter(isKnown).sort() }
  }

  /** The writable layer, in overlayfs's own form (whiteouts are devices), as `commit` packs it. */
  upperDirectory(containerId: string): string {
    return path.join(this.#directory(containerId), 'upper')
  }

  /** Of init layers; the directories of containers are claimed by who knows the containers. */
  claims(): DiskClaim[] {
    const { whole, busy } = this.#initLayers.directories()
    const claim = (directory: string, kind: string): DiskClaim => ({
      ...{ path: path.relative(this.#dataRoot, directory), kind, ownerId: path.basename(directory) },
      ...{ extent: 'tree', required: false },
    })
    return [
      { path: 'init-layers', kind: 'directories of the engine', ownerId: '', extent: 'directory', required: false },
      ...whole.map((directory) => claim(directory, 'init layer')),
      ...busy.map((directory) => claim(directory, 'work under way')),
    ]
  }

  async describe(containerId: string): Promise<Record<'LowerDir' | 'MergedDir' | 'UpperDir' | 'WorkDir', string>> {
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
    const unseen = new Set(await this.#initLayers.present())
    const used = new Set<string>()
    for (const id of await namesIn(this.#containersRoot)) {
      // Thousands of containers are of few images: as soon as each layer has a user the rest need not be read.
      if (unseen.size === 0) break
      const layers = await this.#layers(id).catch(() => undefined)
      if (layers === undefined) continue
      used.add(layers.initLayer)
      unseen.delete(layers.initLayer)
    }
    await this.#initLayers.sweep(used)
  }

  #directory(containerId: string): string {
    return path.join(this.#containersRoot, containerId)
  }

  async #layers(containerId: string): Promise<ContainerLayers> {
    return JSON.parse(readFileSync(path.join(this.#directory(containerId), 'layers.json'), 'utf8')) as ContainerLayers
  }

  #lower(layers: ContainerLayers): string[] {
    return [
      this.#initLayers.directory(layers.initLayer),
      ...layers.directories.map((directory) => path.resolve(layers.layersRoot, directory)),
    ]
  }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code

/** Other parts keep files of the container beside ours; the last one to leave removes the directory. */
function rmdirUnlessUsed(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && !isGone(error)) throw error
  }
}
