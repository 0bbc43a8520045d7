/** Looks up on the host what `HostConfig` names by path: device nodes to make, block devices that get limits. */
import type { Stats } from 'node:fs'
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { type Host, type HostDevices, internal, type OciDevice } from '@dockerd-ts/core'

type HostConfig = Parameters<Host['findDevices']>[0]
type FoundDevice = HostDevices['devices'][number]

/**
 * Devices of the options, or every one of the host's when privileged. Throws internal (Docker's status is 500) in
 * Docker's words for what does not exist or is no device.
 */
export async function findDevices(hostConfig: HostConfig): Promise<HostDevices> {
  const devices = hostConfig.Privileged ? await allHostDevices() : []
  for (const mapping of hostConfig.Devices ?? []) {
    const onHost = mapping.PathOnHost ?? ''
    // A relative path is one from the root.
    const inContainer = posix.resolve('/', mapping.PathInContainer || onHost)
    const access = mapping.CgroupPermissions || 'rwm'
    devices.push(...(await devicesAt({ onHost, inContainer, access })))
  }
  return { devices: withoutDuplicates(devices), blockDevices: await findBlockDevices(hostConfig) }
}

/** One node per place: what the user maps wins over what privileged brings along. */
function withoutDuplicates(devices: readonly FoundDevice[]): FoundDevice[] {
  return [...new Map(devices.map((device) => [device.path, device])).values()]
}

interface Mapping {
  onHost: string
  inContainer: string
  access: string
}

async function devicesAt({ onHost, inContainer, access }: Mapping): Promise<FoundDevice[]> {
  const fail = (reason: string, cause?: unknown) =>
    internal(
      `error gathering device information while adding custom device ${JSON.stringify(onHost)}: ${reason}`,
      cause,
    )
  let path: string
  let status: Stats
  try {
    status = await lstat(onHost)
    // A link (/dev/disk/by-id/…) stands for what it points to; one that points nowhere is no device.
    path = status.isSymbolicLink() ? await realpath(onHost).catch(() => onHost) : onHost
    status = await lstat(path)
  } catch (error) {
    throw fail('no such file or directory', error)
  }
  const device = toDevice(inContainer, status)
  if (device !== undefined) return [{ ...device, access }]
  if (!status.isDirectory()) throw fail('not a device node')
  const below = (await walkDevices(path, '')).map(({ relative, node }) => ({
    ...node,
    path: posix.join(inContainer, relative),
    access,
  }))
  if (below.length === 0) throw fail('not a device node')
  return below
}

/** Parts of /dev that the container has of its own. */
const ownOfContainer = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', 'console'])

async function allHostDevices(): Promise<FoundDevice[]> {
  const found = await walkDevices('/dev', '', ownOfContainer)
  return found
    .map(({ relative, node }) => ({ ...node, path: `/dev/${relative}`, access: 'rwm' }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

interface Found {
  relative: string
  node: OciDevice
}

/** Nothing real is deeper; bounds what a strange tree costs. */
const deepest = 16

async function walkDevices(root: string, below: string, except: ReadonlySet<string> = new Set()): Promise<Found[]> {
  if (below.split('/').length > deepest) return []
  const found: Found[] = []
  // What cannot be looked into has no devices to give: processes end meanwhile, and some file systems refuse everybody.
  for (const entry of await readdir(join(root, below), { withFileTypes: true }).catch(() => [])) {
    if (except.has(entry.name)) continue
    const relative = posix.join(below, entry.name)
    if (entry.isDirectory()) found.push(...(await walkDevices(root, relative, except)))
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) continue
    const node = await deviceIfThere(join(root, relative))
    if (node !== undefined) found.push({ relative, node })
  }
  return found
}

async function deviceIfThere(path: string): Promise<OciDevice | undefined> {
  try {
    return toDevice(path, await lstat(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function toDevice(path: string, status: Stats): OciDevice | undefined {
  const type = status.isCharacterDevice() ? 'c' : status.isBlockDevice() ? 'b' : undefined
  if (type === undefined) return undefined
  return { path, type, ...deviceNumbers(status.rdev), fileMode: status.mode & 0o7777, uid: status.uid, gid: status.gid }
}

/** Links are followed. undefined: there is something else. Throws when there is nothing. */
export async function deviceAt(path: string): Promise<OciDevice | undefined> {
  return toDevice(path, await stat(path))
}

/** The kernel's split of dev_t, as in sysmacros.h; BigInt because the upper half does not fit 32-bit operators. */
export function deviceNumbers(rdev: number): { major: number; minor: number } {
  const device = BigInt(rdev)
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  }
}

async function findBlockDevices(hostConfig: HostConfig): Promise<HostDevices['blockDevices']> {
  const paths = [
    hostConfig.BlkioWeightDevice,
    hostConfig.BlkioDeviceReadBps,
    hostConfig.BlkioDeviceWriteBps,
    hostConfig.BlkioDeviceReadIOps,
    hostConfig.BlkioDeviceWriteIOps,
  ].flatMap((devices) => (devices ?? []).map(({ Path }) => Path ?? ''))
  const found = new Map<string, { major: number; minor: number }>()
  for (const path of new Set(paths)) {
    try {
      found.set(path, deviceNumbers((await stat(path)).rdev))
    } catch (error) {
      throw internal(`stat ${path}: no such file or directory`, error)
    }
  }
  return found
}
