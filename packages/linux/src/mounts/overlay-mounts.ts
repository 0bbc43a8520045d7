/** Mounts overlays and lets go of mounts, by the host helper. */
import { statfs } from 'node:fs/promises'
import { EngineError, type HostHelper } from '@dockerd-ts/core'
import { type OverlayDirectories, overlayFeatures, overlayOptions } from './overlay-options.ts'

export class OverlayMounts {
  readonly #helper: Pick<HostHelper, 'mount' | 'unmount'>
  #features: Promise<string[]> | undefined

  constructor(helper: Pick<HostHelper, 'mount' | 'unmount'>) {
    this.#helper = helper
  }

  /** Idempotent. Throws in words when the data root itself lies on an overlay. */
  async mount(target: string, directories: OverlayDirectories): Promise<void> {
    this.#features ??= overlayFeatures()
    try {
      await this.#helper.mount({
        source: 'overlay',
        target,
        fsType: 'overlay',
        data: overlayOptions(directories, await this.#features),
        workingDirectory: directories.workingDirectory,
        ...(directories.idMap && { idMap: directories.idMap }),
      })
    } catch (error) {
      throw (await upperRefused(directories.upper, error)) ?? error
    }
  }

  /** Busy means that somebody still has a file open in it: the mount leaves the tree now and the kernel when they close. */
  async release(target: string): Promise<void> {
    try {
      await this.#helper.unmount(target)
    } catch (error) {
      if (!isBusy(error)) throw error
      await this.#helper.unmount(target, { detach: true })
    }
  }
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

const isBusy = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EBUSY'
