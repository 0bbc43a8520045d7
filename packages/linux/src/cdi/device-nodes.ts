/** What the edits of CDI files come to: device nodes are looked up on the host where the file does not describe them. */
import { type CdiDevices, internal, type SpecEdits } from '@dockerd-ts/core'
import { deviceAt } from '../host-devices/find-devices.ts'
import type { CdiDeviceNode, CdiEdits } from './spec-document.ts'

export async function specEdits(edits: readonly CdiEdits[]): ReturnType<CdiDevices['resolve']> {
  for (const { intelRdt, netDevices } of edits) {
    if (intelRdt != null) throw notInjected('intelRdt is not supported by this engine')
    if (netDevices?.length) throw notInjected('netDevices are not supported by this engine')
  }
  return {
    env: edits.flatMap(({ env }) => env ?? []),
    devices: await Promise.all(edits.flatMap(({ deviceNodes }) => deviceNodes ?? []).map(deviceEdit)),
    mounts: edits
      .flatMap(({ mounts }) => mounts ?? [])
      .map(({ hostPath, containerPath, options, type }) => ({
        destination: containerPath,
        source: hostPath,
        type: type || 'bind',
        options: options ?? [],
      })),
    hooks: edits
      .flatMap(({ hooks }) => hooks ?? [])
      .map(({ hookName, path, args, env, timeout }) => ({
        name: hookName,
        path,
        ...(args?.length && { args }),
        ...(env?.length && { env }),
        ...(timeout !== undefined && { timeout }),
      })),
    additionalGids: edits.flatMap(({ additionalGids }) => additionalGids ?? []),
  }
}

const notInjected = (reason: string, cause?: unknown) =>
  internal(`CDI device injection failed: failed to inject devices: ${reason}`, cause)

async function deviceEdit(node: CdiDeviceNode): Promise<SpecEdits['devices'][number]> {
  const { path, hostPath = path, type: asked = '', major, minor, permissions = '', fileMode, uid, gid } = node
  const type = asked === 'u' ? 'c' : asked
  const described = type === 'p' || (type !== '' && (major ?? 0) !== 0)
  const found = described ? undefined : await hostDevice(hostPath)
  if (found !== undefined && type !== '' && type !== found.type) {
    throw notInjected(`CDI device (${quote(path)}, ${quote(hostPath)}), host type mismatch (${type}, ${found.type})`)
  }
  const numbers = major ? { major, minor: minor ?? 0 } : { major: found?.major ?? 0, minor: found?.minor ?? 0 }
  return {
    path,
    type: type || found?.type || 'c',
    ...numbers,
    fileMode: fileMode ?? 0o666,
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    access: permissions === 'none' ? '' : permissions || 'rwm',
  }
}

const quote = (value: string): string => JSON.stringify(value)

async function hostDevice(path: string) {
  try {
    const device = await deviceAt(path)
    if (device !== undefined) return device
  } catch (error) {
    throw notInjected(`failed to stat CDI host device ${quote(path)}: no such file or directory`, error)
  }
  throw notInjected(`failed to stat CDI host device ${quote(path)}: not a device node`)
}
