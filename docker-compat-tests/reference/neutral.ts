/** Takes out of an answer what is no one's fault: ids, times, sizes, addresses, paths of the engine's own files. */

const numberKeys = new Set([
  'Pid',
  'Size',
  'VirtualSize',
  'SizeRw',
  'SizeRootFs',
  'SharedSize',
  'Created',
  'SpaceReclaimed',
])
const textKeys = new Set(['MacAddress', 'SandboxKey', 'SandboxID', 'EndpointID', 'IPAddress', 'Gateway', 'Mountpoint'])

export function neutral(text: string): string {
  return text
    .replace(/sha256:[0-9a-f]{64}|\b[0-9a-f]{64}\b/g, '<id>')
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uuid>')
    .replace(/\b[0-9a-f]{12}\b/g, '<short id>')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, (time) =>
      time.startsWith('0001') ? time : '<time>',
    )
    .replace(/\/tmp\/dts-(?:ref|test)-\w+\/(?:data|exec)[^"\s]*/g, '<engine file>')
    .replace(/(?:Less than a second|\d+ seconds?|About a minute)( ago)?/g, '<duration>')
}

/** Fields that differ by what the engines are, wherever they occur, and why. */
const ownFields: Readonly<Record<string, string>> = {
  MaskedPaths: 'the reference is older: paths were added since',
  Runtime: 'crun and runc',
  Bridge: 'dockerd names the bridge it was told to use',
  IPPrefixLen: 'their bridges have subnets of other sizes',
  NetworkID: 'known here before the first start',
  DNSNames: 'null on the default bridge, where nothing is resolved',
  DockerVersion: 'who imported the image',
  Options: 'null and {}: of host and none',
  RepoDigests: 'null and []',
  SandboxID: 'dockerd keeps it after a stop',
  SandboxKey: 'dockerd keeps it after a stop',
  GraphDriver: 'the engines keep layers differently',
}

/** The same value with strings neutral, objects sorted by key, and numbers that cannot agree as `<number>`. */
export function neutralJson(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const values = value.map((one) => neutralJson(one))
    // A list shows ports in the order of a Go map.
    return key === 'Ports' ? values.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : values
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !(name in ownFields))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, one]) => [neutral(name), neutralJson(one, name)]),
    )
  }
  if (typeof value === 'number' && value > 0 && numberKeys.has(key)) return '<number>'
  if (typeof value === 'string' && value !== '' && textKeys.has(key)) return '<text>'
  return typeof value === 'string' ? neutral(value) : value
}
