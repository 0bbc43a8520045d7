/** The mount requests of HostHelper by the programs of util-linux: slow, independent of our own helper, tests only. */
import { execFile } from 'node:child_process'
import { lstat, readlink, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { HostHelper } from '@dockerd-ts/core'

const run = promisify(execFile)

export type MountHelper = Pick<HostHelper, 'mount' | 'unmount' | 'removeTree' | 'resolveInRoot'>

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
    ).catch((error) => {
      const missing = /does not exist|No such file/.test(error.stderr)
      throw Object.assign(error, missing ? { code: 'ENOENT', errno: -2 } : { code: 'EINVAL', errno: -22 })
    })
  },
  async unmount(target, options = {}) {
    const { stderr } = await run('umount', ['-n', ...(options.detach ? ['-l'] : []), target]).catch((error) => error)
    if (/busy/.test(stderr)) throw Object.assign(new Error(stderr), { code: 'EBUSY', errno: -16 })
    if (stderr && !/not mounted|no mount point|no such file/i.test(stderr)) throw new Error(stderr)
  },
  async removeTree(path) {
    await rm(path, { recursive: true, force: true })
  },
  /** Links are read as if the root were `/`; good for trees that nobody changes meanwhile. */
  async resolveInRoot({ root, path, followLast }) {
    const rest = path.split('/').filter(Boolean)
    let here: string[] = []
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === '..') here.pop()
      if (name === '.' || name === '..') continue
      const place = [root, ...here, name].join('/')
      const isLink = (await lstat(place)).isSymbolicLink()
      if (!isLink || (rest.length === 0 && !followLast)) here.push(name)
      else {
        const target = await readlink(place)
        if (target.startsWith('/')) here = []
        rest.unshift(...target.split('/').filter(Boolean))
      }
    }
    return { path: [root, ...here].join('/'), release: async () => {} }
  },
}

const optionOf = (flag: string): string => (flag === 'rec' ? 'rbind' : flag === 'rdonly' ? 'ro' : flag)
