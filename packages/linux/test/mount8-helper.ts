/** The mount requests of HostHelper by the programs of util-linux: slow, independent of our own helper, tests only. */
import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { HostHelper } from '@dockerd-ts/core'

const run = promisify(execFile)

export type MountHelper = Pick<HostHelper, 'mount' | 'unmount' | 'removeTree'>

export const mount8Helper: MountHelper = {
  async mount(request) {
    const mounted = await run('mountpoint', ['-q', request.target]).then(
      () => true,
      () => false,
    )
    if (mounted) return
    const options = [...(request.flags ?? []).map(optionOf), ...(request.data ? [request.data] : [])]
    await run(
      'mount',
      [
        '-n',
        ...(request.fsType ? ['-t', request.fsType] : []),
        ...(options.length > 0 ? ['-o', options.join(',')] : []),
        request.source,
        request.target,
      ],
      { cwd: request.workingDirectory ?? '/' },
    )
  },
  async unmount(target, options = {}) {
    const { stderr } = await run('umount', ['-n', ...(options.detach ? ['-l'] : []), target]).catch((error) => error)
    if (/busy/.test(stderr)) throw Object.assign(new Error(stderr), { code: 'EBUSY' })
    if (stderr && !/not mounted|no mount point|no such file/i.test(stderr)) throw new Error(stderr)
  },
  async removeTree(path) {
    await rm(path, { recursive: true, force: true })
  },
}

const optionOf = (flag: string): string => (flag === 'rec' ? 'rbind' : flag === 'rdonly' ? 'ro' : flag)
