/**
 * Volumes of the driver `local`.
 *
 *     <dataRoot>/volumes/<name>/_data      what containers see; where a volume with options is mounted
 *                               copy-up/   the image's content on its way in, see copy-up.ts; copy-up-subpath/ too
 *                               users/     who uses such a mount, see volume-users.ts
 *                               subpaths/  places inside the volume, bound for one container each
 *                        .removed/<random>/<name>   being deleted
 */
import { createHash, randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { chown, mkdir, rename, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { getSystemErrorMessage } from 'node:util'
import {
  anonymousLabel,
  checkVolumeDriver,
  checkVolumeName,
  checkVolumeOptions,
  crashPoint,
  type DiskClaim,
  type DiskOwner,
  EngineError,
  type HostHelper,
  KeyedMutex,
  notFound,
  type VolumeRecords,
  type VolumeRow,
  type Volumes,
} from '@dockerd-ts/core'
import { namesIn } from '../mounts/directory-names.ts'
import { readMountTable } from '../mounts/mount-table.ts'
import { OverlayMounts } from '../mounts/overlay-mounts.ts'
import { isGone } from '../mounts/safe-walk.ts'
import { treeSizeBytes } from '../mounts/tree-size.ts'
import { copyUp, discardCopyUp, finishCopyUp } from './copy-up.ts'
import { volumeMountRequest } from './volume-mount-options.ts'
import { resolveSubpath } from './volume-subpath.ts'
import { addUser, clearUsers, listUsers, removeUser } from './volume-users.ts'

export interface LocalVolumesOptions {
  dataRoot: string
  records: VolumeRecords
  helper: Pick<HostHelper, 'mount' | 'unmount' | 'removeTree' | 'resolveInRoot'>
  /** Of new volumes; the daemon's user when absent. */
  owner?: { uid: number; gid: number }
  /** Unix nanoseconds. */
  nowNs: () => bigint
  /** A host name's address, for NFS and CIFS. */
  resolveHost?: (host: string) => Promise<string>
}

type CreateRequest = Parameters<Volumes['create']>[0]

const removedDirectory = '.removed'

export class LocalVolumes implements Volumes, DiskOwner {
  readonly #root: string
  readonly #records: VolumeRecords
  readonly #helper: LocalVolumesOptions['helper']
  readonly #mounts: OverlayMounts
  readonly #nowNs: () => bigint
  readonly #owner: LocalVolumesOptions['owner']
  readonly #resolveHost: (host: string) => Promise<string>
  /** One change of a volume at a time. */
  readonly #locks = new KeyedMutex()
  /** Being made or removed: row and directory need not agree. */
  readonly #changing = new Set<string>()

  constructor(options: LocalVolumesOptions) {
    this.#root = path.join(options.dataRoot, 'volumes')
    this.#records = options.records
    this.#helper = options.helper
    this.#mounts = new OverlayMounts(options.helper)
    this.#nowNs = options.nowNs
    this.#owner = options.owner
    this.#resolveHost = options.resolveHost ?? (async (host) => (await lookup(host)).address)
  }

  async create(request: CreateRequest): Promise<VolumeRow> {
    const anonymous = !request.name
    const name = request.name || randomBytes(32).toString('hex')
    checkVolumeDriver(name, request.driver ?? '')
    return this.#locks.run(name, async () => {
      const existing = this.#records.getVolume(name)
      if (existing) return existing
      checkVolumeName(name)
      checkVolumeOptions(name, request.options ?? {})
      const labels = request.labels ?? {}
      return this.#change(name, async () => {
        await this.#makeDirectories(name)
        crashPoint('volume:directories-made')
        const row: VolumeRow = {
          name,
          driver: 'local',
          createdAtNs: String(this.#nowNs()),
          labels: anonymous ? { [anonymousLabel]: '', ...labels } : { ...labels },
          options: { ...request.options },
          anonymous: anonymous || Object.hasOwn(labels, anonymousLabel),
        }
        this.#records.putVolume(row)
        crashPoint('volume:recorded')
        return row
      })
    })
  }

  async #change<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.#changing.add(name)
    try {
      return await work()
    } finally {
      this.#changing.delete(name)
    }
  }

  get(name: string): VolumeRow {
    const row = this.#records.getVolume(name)
    if (!row) throw notFound(`get ${name}: no such volume`)
    return row
  }

  list(): VolumeRow[] {
    return this.#records.listVolumes()
  }

  async remove(name: string): Promise<void> {
    await this.#locks.run(name, async () => {
      this.get(name)
      const directory = this.#directory(name)
      await this.#unmountAll(directory)
      // Out of the way first, so that the name is free at once and a crash from here on ends in deletion.
      const doomed = path.join(this.#root, removedDirectory, randomBytes(6).toString('hex'))
      await mkdir(doomed, { recursive: true, mode: 0o700 })
      await this.#change(name, async () => {
        await rename(directory, path.join(doomed, name)).catch((error) => {
          if (!isGone(error)) throw error
        })
        crashPoint('volume:moved-aside')
        this.#records.deleteVolume(name)
        crashPoint('volume:row-deleted')
      })
      await this.#helper.removeTree(doomed)
    })
  }

  claims(): DiskClaim[] {
    const claim = (name: string, kind: string, required: boolean): DiskClaim => ({
      ...{ path: `volumes/${name}`, kind, ownerId: name, extent: 'tree', required },
    })
    return [
      { path: 'volumes', kind: 'directories of the engine', ownerId: '', extent: 'directory', required: false },
      claim(removedDirectory, 'work under way', false),
      ...[...this.#changing].map((name) => claim(name, 'work under way', false)),
      ...this.list().map(({ name }) => claim(name, 'volume', !this.#changing.has(name))),
    ]
  }

  mountpoint(name: string): string {
    return path.join(this.#directory(name), '_data')
  }

  async mount(name: string, containerId: string, subpath?: string): Promise<string> {
    return this.#locks.run(name, async () => {
      const volume = this.get(name)
      if (needsMount(volume)) await this.#mountVolume(volume, containerId)
      return subpath ? this.#bindSubpath(volume, containerId, subpath) : this.mountpoint(name)
    })
  }

  async unmount(name: string, containerId: string): Promise<void> {
    await this.#locks.run(name, async () => {
      const volume = this.#records.getVolume(name)
      if (!volume) return
      await this.#unbindSubpaths(name, containerId)
      if (!needsMount(volume)) return
      if ((await removeUser(this.#directory(name), containerId)) === 0)
        await this.#mounts.release(this.mountpoint(name))
    })
  }

  async copyUp(
    name: string,
    request: { rootFilesystem: string; destination: string; subpath?: string },
  ): Promise<void> {
    const { subpath, ...content } = request
    const user = `copy-up-${randomBytes(6).toString('hex')}`
    const root = await this.mount(name, user)
    const place = subpath === undefined ? undefined : await this.#placeToFill(root, subpath)
    try {
      if (subpath !== undefined && place === undefined) return
      // The descriptor's own path is a link, its `.` is the directory.
      const volume = place === undefined ? root : `${place.path}/.`
      const directory = place === undefined ? this.#copyUpDirectory(name) : this.#subpathCopyUpDirectory(name)
      const staging = needsMount(this.get(name)) ? {} : { staging: directory }
      await this.#locks.run(name, () => copyUp({ helper: this.#helper, ...content, volume, ...staging }))
    } finally {
      await place?.release()
      await this.unmount(name, user)
    }
  }

  /** A directory that is there; what cannot be mounted is told when the container starts. */
  async #placeToFill(root: string, subpath: string) {
    const place = await resolveSubpath({ helper: this.#helper, root, subpath }).catch(() => undefined)
    if (place === undefined || (await stat(place.path)).isDirectory()) return place
    await place.release()
    return undefined
  }

  async sizeBytes(name: string): Promise<number> {
    if (needsMount(this.get(name))) return -1
    return treeSizeBytes(this.mountpoint(name)).catch((error) => {
      if (isGone(error)) return 0
      throw error
    })
  }

  /**
   * After a restart: finishes removals, deletes what a create left half made. A directory without a row that holds data
   * becomes a volume again: a lost database is no reason to lose data.
   */
  async sweep(): Promise<void> {
    const removed = path.join(this.#root, removedDirectory)
    for (const batch of await namesIn(removed)) {
      for (const name of await namesIn(path.join(removed, batch))) {
        if (!(await namesIn(this.#root)).includes(name)) this.#records.deleteVolume(name)
      }
    }
    await this.#helper.removeTree(removed)
    for (const name of await namesIn(this.#root)) {
      if (!this.#records.getVolume(name)) await this.#adoptOrDelete(name)
    }
    for (const { name } of this.#records.listVolumes()) {
      await this.#makeDirectories(name)
      await this.#releaseCopies(name)
      const staging = this.#copyUpDirectory(name)
      await finishCopyUp({ helper: this.#helper, staging, volume: this.mountpoint(name) })
      await discardCopyUp(this.#helper, this.#subpathCopyUpDirectory(name))
    }
  }

  /** Copies into and out of containers died with the daemon that made them. */
  async #releaseCopies(name: string): Promise<void> {
    const directory = this.#directory(name)
    const users = [...(await listUsers(directory)), ...(await namesIn(path.join(directory, 'subpaths')))]
    for (const user of new Set(users)) if (user.startsWith('copy-')) await this.unmount(name, user)
  }

  async #adoptOrDelete(name: string): Promise<void> {
    const data = this.mountpoint(name)
    if ((await namesIn(data)).length === 0) {
      await this.#helper.removeTree(this.#directory(name))
      return
    }
    const { birthtimeNs } = await stat(data, { bigint: true })
    const anonymous = /^[0-9a-f]{64}$/.test(name)
    this.#records.putVolume({
      name,
      driver: 'local',
      createdAtNs: String(birthtimeNs),
      labels: anonymous ? { [anonymousLabel]: '' } : {},
      options: {},
      anonymous,
    })
  }

  #copyUpDirectory(name: string): string {
    return path.join(this.#directory(name), 'copy-up')
  }

  /** Of a copy into a subpath, which is not known any more after a crash. */
  #subpathCopyUpDirectory(name: string): string {
    return path.join(this.#directory(name), 'copy-up-subpath')
  }

  #directory(name: string): string {
    return path.join(this.#root, name)
  }

  async #makeDirectories(name: string): Promise<void> {
    const data = this.mountpoint(name)
    try {
      await mkdir(this.#root, { recursive: true, mode: 0o701 })
      await mkdir(this.#directory(name), { recursive: true, mode: 0o701 })
      const isNew = (await mkdir(data, { recursive: true, mode: 0o755 })) !== undefined
      if (isNew && this.#owner) await chown(data, this.#owner.uid, this.#owner.gid)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      const kind = code === 'ENAMETOOLONG' ? 'invalidArgument' : 'internal'
      const message = `create ${name}: error while creating volume root path '${data}': mkdir ${data}: ${reason(error)}`
      throw new EngineError(kind, message, { cause: error })
    }
  }

  async #mountVolume(volume: VolumeRow, containerId: string): Promise<void> {
    const directory = this.#directory(volume.name)
    const target = this.mountpoint(volume.name)
    const mounted = (await readMountTable()).some((entry) => entry.mountPoint === target)
    if (!mounted) {
      await clearUsers(directory)
      await this.#mountDevice(volume, target)
    }
    await addUser(directory, containerId)
  }

  async #mountDevice(volume: VolumeRow, target: string): Promise<void> {
    const { flagBits, ...request } = await volumeMountRequest(volume.options, target, this.#resolveHost)
    try {
      await this.#helper.mount(request)
    } catch (error) {
      const parts = [
        `mount ${request.source}:${target}`,
        ...(flagBits !== 0 ? [`flags: 0x${flagBits.toString(16)}`] : []),
        ...(request.data ? [`data: ${request.data}`] : []),
      ].join(', ')
      const message = `error while mounting volume '${target}': failed to mount local volume: ${parts}: ${reason(error)}`
      throw new EngineError('internal', message, { cause: error })
    }
  }

  async #bindSubpath(volume: VolumeRow, containerId: string, subpath: string): Promise<string> {
    const root = this.mountpoint(volume.name)
    const target = path.join(this.#subpaths(volume.name, containerId), hashOf(subpath))
    const resolved = await resolveSubpath({ helper: this.#helper, root, subpath })
    try {
      await mkdir(path.dirname(target), { recursive: true, mode: 0o711 })
      // What is bound must be of the same kind as what it is bound on.
      if ((await stat(resolved.path)).isDirectory()) await mkdir(target, { recursive: true })
      else await writeFile(target, '')
      await this.#helper.mount({ source: resolved.path, target, flags: ['bind', 'rec'] })
      return target
    } finally {
      await resolved.release()
    }
  }

  #subpaths(name: string, containerId: string): string {
    return path.join(this.#directory(name), 'subpaths', containerId)
  }

  async #unbindSubpaths(name: string, containerId: string): Promise<void> {
    const directory = this.#subpaths(name, containerId)
    const names = await namesIn(directory)
    if (names.length === 0) return
    for (const entry of names) await this.#mounts.release(path.join(directory, entry))
    await this.#helper.removeTree(directory)
  }

  async #unmountAll(directory: string): Promise<void> {
    const below = (await readMountTable()).filter((entry) => entry.mountPoint.startsWith(`${directory}/`))
    for (const { mountPoint } of below.reverse()) await this.#mounts.release(mountPoint)
  }
}

const needsMount = (volume: VolumeRow): boolean => volume.options.type !== undefined

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** The kernel's words for an error, as Go prints them. */
function reason(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException
  return errno === undefined ? message : getSystemErrorMessage(errno)
}
