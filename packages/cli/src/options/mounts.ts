/** `--volume`, `--mount` and `--tmpfs`. */
import { resolve } from 'node:path'
import { custom, cut, type Flag, parseBool, splitCsv } from './flags.ts'
import { parseRamBytes } from './sizes.ts'

export interface Mount {
  Type: string
  Source?: string
  Target?: string
  ReadOnly?: boolean
  Consistency?: string
  BindOptions?: Record<string, unknown>
  VolumeOptions?: Record<string, unknown>
  ImageOptions?: Record<string, unknown>
  TmpfsOptions?: Record<string, unknown>
}

export function mountFlag(usage: string): Flag<Mount[]> {
  return custom<Mount[]>('', 'mount', usage, [], (current, text) => [...current, parseMount(text)])
}

/** So short a text can only be a target. */
const SHORTEST_BIND = 2

/** Splits the values of `--volume` into bind specifications and anonymous volumes. */
export function splitVolumes(specs: readonly string[]): {
  binds: string[]
  anonymous: Record<string, Record<string, never>>
} {
  const binds: string[] = []
  const anonymous: Record<string, Record<string, never>> = {}
  // One and the same specification twice counts once.
  for (const spec of new Set(specs)) {
    if (spec.trim() === '') throw new Error('invalid empty volume spec')
    const [source, rest] = cut(spec, ':')
    if (rest === undefined || spec.length <= SHORTEST_BIND) anonymous[spec] = {}
    else if (source === '') throw new Error(`invalid spec: ${spec}: empty section between colons`)
    else binds.push(source.startsWith('.') ? `${resolve(source)}:${rest}` : spec)
  }
  return { binds, anonymous }
}

export function parseTmpfs(specs: readonly string[]): Record<string, string> {
  return Object.fromEntries(specs.map((spec) => [cut(spec, ':')[0], cut(spec, ':')[1] ?? '']))
}

/** Keys that may stand without a value. */
const SWITCHES = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src'])

function parseMount(text: string): Mount {
  const mount: Mount = { Type: 'volume' }
  for (const field of splitCsv(text)) {
    const [rawKey, rawValue] = cut(field, '=')
    const key = rawKey.toLowerCase()
    if (rawValue === undefined && !SWITCHES.has(key))
      throw new Error(`invalid field '${field}' must be a key=value pair`)
    applyField(mount, key, rawValue ?? 'true', { field, bare: rawValue === undefined })
  }
  checkMount(mount)
  return mount
}

function applyField(mount: Mount, key: string, value: string, origin: { field: string; bare: boolean }): void {
  const flag = (): boolean => {
    try {
      return parseBool(value)
    } catch {
      throw new Error(`invalid value for ${key}: ${value}`)
    }
  }
  switch (key) {
    case 'type':
      mount.Type = value.toLowerCase()
      return
    case 'source':
    case 'src':
      mount.Source =
        value === '.' || value.startsWith(`.${'/'}`) || value.startsWith('../') || value === '..'
          ? resolve(value)
          : value
      return
    case 'target':
    case 'dst':
    case 'destination':
      mount.Target = value
      return
    case 'readonly':
    case 'ro':
      mount.ReadOnly = flag()
      return
    case 'consistency':
      mount.Consistency = value.toLowerCase()
      return
    case 'bind-propagation':
      bindOptions(mount).Propagation = value.toLowerCase()
      return
    case 'bind-nonrecursive':
      bindOptions(mount).NonRecursive = flag()
      return
    case 'bind-recursive':
      applyRecursive(mount, value)
      return
    case 'volume-subpath':
      volumeOptions(mount).Subpath = value
      return
    case 'volume-nocopy':
      volumeOptions(mount).NoCopy = flag()
      return
    case 'volume-label':
      volumeOptions(mount).Labels = {
        ...(volumeOptions(mount).Labels as object),
        [cut(value, '=')[0]]: cut(value, '=')[1] ?? '',
      }
      return
    case 'volume-driver':
      volumeOptions(mount).DriverConfig = { ...(volumeOptions(mount).DriverConfig as object), Name: value }
      return
    case 'volume-opt': {
      const driver = (volumeOptions(mount).DriverConfig ?? {}) as { Options?: object }
      volumeOptions(mount).DriverConfig = {
        ...driver,
        Options: { ...driver.Options, [cut(value, '=')[0]]: cut(value, '=')[1] ?? '' },
      }
      return
    }
    case 'image-subpath':
      mount.ImageOptions = { ...mount.ImageOptions, Subpath: value }
      return
    case 'tmpfs-size':
      try {
        mount.TmpfsOptions = { ...mount.TmpfsOptions, SizeBytes: parseRamBytes(value) }
      } catch {
        throw new Error(`invalid value for ${key}: ${value}`)
      }
      return
    case 'tmpfs-mode':
      if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`)
      mount.TmpfsOptions = { ...mount.TmpfsOptions, Mode: Number.parseInt(value, 8) }
      return
    default:
      throw new Error(`unexpected key '${key}' in '${origin.field}'`)
  }
}

function applyRecursive(mount: Mount, value: string): void {
  const options = bindOptions(mount)
  if (value === 'enabled') return
  if (value === 'disabled') options.NonRecursive = true
  else if (value === 'writable') options.ReadOnlyNonRecursive = true
  else if (value === 'readonly') options.ReadOnlyForceRecursive = true
  else
    throw new Error(
      `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
    )
}

function bindOptions(mount: Mount): Record<string, unknown> {
  mount.BindOptions ??= {}
  return mount.BindOptions
}

function volumeOptions(mount: Mount): Record<string, unknown> {
  mount.VolumeOptions ??= {}
  return mount.VolumeOptions
}

function checkMount(mount: Mount): void {
  if (mount.Type === '') throw new Error('type is required')
  if (!mount.Target) throw new Error('target is required')
  const foreign = (options: unknown, name: string, type: string) => {
    if (options && mount.Type !== type)
      throw new Error(`cannot mix '${name}-*' options with mount type '${mount.Type}'`)
  }
  foreign(mount.VolumeOptions, 'volume', 'volume')
  foreign(mount.BindOptions, 'bind', 'bind')
  foreign(mount.ImageOptions, 'image', 'image')
  foreign(mount.TmpfsOptions, 'tmpfs', 'tmpfs')
  if (!mount.BindOptions) return
  const { Propagation, ReadOnlyNonRecursive, ReadOnlyForceRecursive } = mount.BindOptions
  if (ReadOnlyNonRecursive && !mount.ReadOnly)
    throw new Error("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction")
  if (!ReadOnlyForceRecursive) return
  if (!mount.ReadOnly)
    throw new Error("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction")
  if (Propagation !== 'rprivate')
    throw new Error(
      "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
    )
}
