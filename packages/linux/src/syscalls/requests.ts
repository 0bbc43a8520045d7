/** Turns the helper's requests into fields of its protocol. Pure. */
import type {
  MountRequest,
  NetworkNamespaceRequest,
  NftElementChange,
  SpawnRequest,
  VethRequest,
} from '@dockerd-ts/core'
import type { Field } from './frames.ts'
import { mountFlagBits } from './mount-flags.ts'
import { portFlag, tag } from './protocol.ts'

export function mountFields(request: MountRequest): Field[] {
  const fields: Field[] = [
    [tag.SOURCE, request.source],
    [tag.TARGET, request.target],
    [tag.FLAGS, mountFlagBits(request.flags ?? [])],
  ]
  if (request.fsType !== undefined) fields.push([tag.TYPE, request.fsType])
  if (request.data !== undefined) fields.push([tag.DATA, request.data])
  if (request.workingDirectory !== undefined) fields.push([tag.DIRECTORY, request.workingDirectory])
  if (request.idMap !== undefined) fields.push([tag.ID_MAP, request.idMap])
  return fields
}

export function namespaceFields(request: NetworkNamespaceRequest): Field[] {
  const sysctls = Object.entries(request.sysctls ?? {}).map(([name, value]): Field => [tag.SYSCTL, `${name}=${value}`])
  const { userNamespace: user } = request
  const owner: Field[] = user ? [[tag.TARGET, user.path]] : []
  if (user?.idMap !== undefined) owner.push([tag.ID_MAP, user.idMap])
  return [[tag.PATH, request.path], ...owner, ...sysctls, ...(request.veth ? vethFields(request.veth) : [])]
}

export function vethFields(veth: VethRequest): Field[] {
  const fields: Field[] = [
    [tag.HOST_NAME, veth.hostName],
    [tag.BRIDGE, veth.bridge],
    [tag.CONTAINER_NAME, veth.containerName],
    [tag.MAC, macBytes(veth.mac)],
  ]
  const flags = (veth.hairpin ? portFlag.HAIRPIN : 0) | (veth.isolated ? portFlag.ISOLATED : 0)
  if (flags !== 0) fields.push([tag.FLAGS, flags])
  if (veth.mtu !== undefined) fields.push([tag.MTU, veth.mtu])
  for (const { address, prefixLength } of veth.addresses) fields.push([tag.ADDRESS, `${address}/${prefixLength}`])
  for (const gateway of veth.gateways) fields.push([tag.GATEWAY, gateway])
  return fields
}

function macBytes(mac: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) throw new TypeError(`malformed MAC address ${mac}`)
  return Uint8Array.from(mac.split(':'), (part) => Number.parseInt(part, 16))
}

const familyNumbers = { ip: 4, ip6: 6, inet: 1 } as const

/** One run of fields for each change; the first of a run begins it. */
export function nftFields(changes: readonly NftElementChange[]): Field[] {
  return changes.flatMap((change): Field[] => [
    [tag.CHANGE, Uint8Array.of(change.action === 'add' ? 1 : 0, familyNumbers[change.family])],
    [tag.TABLE, change.table],
    [tag.SET, change.set],
    ...change.key.map((part): Field => [tag.KEY, part]),
    ...(change.value ?? []).map((part): Field => [tag.VALUE, part]),
  ])
}

export function spawnFields(request: SpawnRequest): Field[] {
  const environment = Object.entries(request.environment ?? {})
  return [
    [tag.SOCKET, request.socketPath],
    ...request.arguments.map((argument): Field => [tag.ARGUMENT, argument]),
    ...environment.map(([name, value]): Field => [tag.ENVIRONMENT, `${name}=${value}`]),
  ]
}
