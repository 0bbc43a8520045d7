/** Devices, GPUs, ulimits and block I/O settings. */
import { custom, cut, type Flag, parseInteger, splitCsv } from './flags.ts'
import { parseRamBytes } from './sizes.ts'

export interface DeviceMapping {
  PathOnHost: string
  PathInContainer: string
  CgroupPermissions: string
}

export interface DeviceRequest {
  Driver: string
  Count: number
  DeviceIDs: string[] | null
  Capabilities: string[][] | null
  Options: Record<string, string> | null
}

/** `vendor.com/class=name`: a device of the Container Device Interface, not a path. */
const CDI_NAME = /^[A-Za-z][\w.-]*[A-Za-z0-9]?\/[A-Za-z][\w-]*=[\w.:-]+$/

export const isCdiDevice = (text: string): boolean => !text.startsWith('/') && CDI_NAME.test(text)

const validDeviceMode = (mode: string): boolean => /^[rwm]{1,3}$/.test(mode) && new Set(mode).size === mode.length

export function parseDevice(text: string): DeviceMapping {
  const parts = text.split(':')
  const [source = '', second, third] = parts
  if (parts.length > 3 || source === '') throw new Error(`invalid device specification: ${text}`)
  if (third !== undefined) return { PathOnHost: source, PathInContainer: second ?? '', CgroupPermissions: third }
  if (second !== undefined && validDeviceMode(second))
    return { PathOnHost: source, PathInContainer: source, CgroupPermissions: second }
  return { PathOnHost: source, PathInContainer: second ?? source, CgroupPermissions: 'rwm' }
}

/** Checks `--device` as Docker's client does before it asks the daemon. */
export function checkDevice(text: string): string {
  if (isCdiDevice(text)) return text
  const parts = text.split(':')
  if (parts.length > 3) throw new Error(`bad format for path: ${text}`)
  const path =
    parts.length === 1 ? parts[0] : validDeviceMode(parts[1] ?? '') && parts.length === 2 ? parts[0] : parts[1]
  if (parts.length === 3 && !validDeviceMode(parts[2] ?? '')) throw new Error(`bad mode specified: ${parts[2]}`)
  if (!path?.startsWith('/')) throw new Error(`${path} is not an absolute path`)
  return text
}

export function checkDeviceCgroupRule(text: string): string {
  if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text))
    throw new Error(`invalid device cgroup format '${text}'`)
  return text
}

export interface Ulimit {
  Name: string
  Hard: number
  Soft: number
}

const ULIMITS = [
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
]

export function ulimitFlag(usage: string): Flag<Ulimit[]> {
  const set = (current: Ulimit[], text: string): Ulimit[] => {
    const limit = parseUlimit(text)
    return [...current.filter((other) => other.Name !== limit.Name), limit]
  }
  return custom<Ulimit[]>('', 'ulimit', usage, [], set, { shownDefault: '[]' })
}

function parseUlimit(text: string): Ulimit {
  const [name, values] = cut(text, '=')
  if (values === undefined) throw new Error(`invalid ulimit argument: ${text}`)
  if (!ULIMITS.includes(name)) throw new Error(`invalid ulimit type: ${name}`)
  const parts = values.split(':')
  if (parts.length > 2 || values === '')
    throw new Error(`too many limit value arguments - ${values}, can only have up to two, \`soft[:hard]\``)
  const soft = parseInteger(parts[0] ?? '')
  const hard = parts[1] === undefined ? soft : parseInteger(parts[1])
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    const shown = soft === -1 ? 'soft -1 (unlimited)' : String(soft)
    throw new Error(
      soft === -1
        ? `ulimit soft limit must be less than or equal to hard limit: ${shown} > ${hard}`
        : `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`,
    )
  }
  return { Name: name, Hard: hard, Soft: soft }
}

export function gpusFlag(usage: string): Flag<DeviceRequest[]> {
  return custom<DeviceRequest[]>('', 'gpu-request', usage, [], (current, text) => [...current, parseGpus(text)])
}

function parseGpus(text: string): DeviceRequest {
  const request: DeviceRequest = { Driver: '', Count: 0, DeviceIDs: null, Capabilities: null, Options: null }
  const seen = new Set<string>()
  for (const field of splitCsv(text)) {
    const [key, value] = cut(field, '=')
    if (seen.has(key)) throw new Error(`gpu request key '${key}' can be specified only once`)
    seen.add(key)
    if (value === undefined) {
      seen.add('count')
      request.Count = parseCount(key)
    } else if (key === 'driver') request.Driver = value
    else if (key === 'count') request.Count = parseCount(value)
    else if (key === 'device') request.DeviceIDs = splitCsv(value)
    else if (key === 'capabilities') request.Capabilities = [[...splitCsv(value), 'gpu']]
    else if (key === 'options')
      request.Options = Object.fromEntries(splitCsv(value).map((pair) => [cut(pair, '=')[0], cut(pair, '=')[1] ?? '']))
    else throw new Error(`unexpected key '${key}' in '${field}'`)
  }
  if (!seen.has('count') && request.DeviceIDs === null) request.Count = 1
  request.Options ??= {}
  request.Capabilities ??= [['gpu']]
  return request
}

function parseCount(text: string): number {
  if (text === 'all') return -1
  if (!/^[+-]?\d+$/.test(text))
    throw new Error(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`)
  return Number(text)
}

export interface WeightDevice {
  Path: string
  Weight: number
}

export interface ThrottleDevice {
  Path: string
  Rate: number
}

export function weightDeviceFlag(usage: string): Flag<WeightDevice[]> {
  const set = (current: WeightDevice[], text: string): WeightDevice[] => {
    const [path, weight] = cut(text, ':')
    if (weight === undefined) throw new Error(`bad format: ${text}`)
    checkDevicePath(path, text)
    const value = /^\d+$/.test(weight) ? Number(weight) : Number.NaN
    if (Number.isNaN(value) || (value > 0 && (value < 10 || value > 1000)))
      throw new Error(`invalid weight for device: ${text}`)
    return [...current, { Path: path, Weight: value }]
  }
  return custom<WeightDevice[]>('', 'list', usage, [], set, { shownDefault: '[]' })
}

export function throttleFlag(usage: string, kind: 'bps' | 'iops'): Flag<ThrottleDevice[]> {
  const set = (current: ThrottleDevice[], text: string): ThrottleDevice[] => {
    const [path, rate] = cut(text, ':')
    if (rate === undefined || path === '') throw new Error(`bad format: ${text}`)
    checkDevicePath(path, text)
    return [...current, { Path: path, Rate: kind === 'bps' ? parseBytesRate(rate, text) : parseIoRate(rate, text) }]
  }
  return custom<ThrottleDevice[]>('', 'list', usage, [], set, { shownDefault: '[]' })
}

function checkDevicePath(path: string, text: string): void {
  if (!path.startsWith('/dev/')) throw new Error(`bad format for device path: ${text}`)
}

function parseBytesRate(rate: string, text: string): number {
  try {
    return parseRamBytes(rate)
  } catch {
    throw new Error(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
    )
  }
}

function parseIoRate(rate: string, text: string): number {
  if (/^\d+$/.test(rate)) return Number(rate)
  throw new Error(
    `invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`,
  )
}
