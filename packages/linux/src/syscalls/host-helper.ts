/** The daemon's side of the host helper (packages/monitor, mode `helper`): the HostHelper port over its socket. */
import type {
  HostHelper,
  MountRequest,
  NetworkNamespaceRequest,
  NftElementChange,
  SpawnRequest,
  VethRequest,
} from '@dockerd-ts/core'
import { HelperProcess, type HelperProcessOptions } from './helper-process.ts'
import { createKind, operation, tag } from './protocol.ts'
import { mountFields, namespaceFields, nftFields, spawnFields, vethFields } from './requests.ts'

export type HostHelperOptions = HelperProcessOptions

/** Starts the helper and waits until it answers. Rejects when the program cannot be run. */
export async function startHostHelper(options: HostHelperOptions): Promise<HostHelperClient> {
  const helper = new HostHelperClient(new HelperProcess(options))
  await helper.ping()
  return helper
}

export class HostHelperClient implements HostHelper {
  readonly #process: HelperProcess

  constructor(process: HelperProcess) {
    this.#process = process
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  async ping(): Promise<void> {
    await this.#process.request(operation.PING, [])
  }

  async mount(request: MountRequest): Promise<void> {
    await this.#process.request(operation.MOUNT, mountFields(request))
  }

  async unmount(target: string, options: { detach?: boolean } = {}): Promise<void> {
    await this.#process.request(operation.UNMOUNT, [
      [tag.TARGET, target],
      [tag.FLAGS, options.detach ? 1 : 0],
    ])
  }

  async createNetworkNamespace(request: NetworkNamespaceRequest): Promise<void> {
    await this.#process.request(operation.NAMESPACE_CREATE, namespaceFields(request))
  }

  async addInterface(namespacePath: string, veth: VethRequest): Promise<void> {
    await this.#process.request(operation.INTERFACE_ADD, [[tag.PATH, namespacePath], ...vethFields(veth)])
  }

  async removeInterface(namespacePath: string, interfaceName: string): Promise<void> {
    await this.#process.request(operation.INTERFACE_REMOVE, [
      [tag.PATH, namespacePath],
      [tag.CONTAINER_NAME, interfaceName],
    ])
  }

  async deleteNetworkNamespace(path: string): Promise<void> {
    await this.#process.request(operation.NAMESPACE_DELETE, [[tag.PATH, path]])
  }

  async changeNftElements(changes: readonly NftElementChange[]): Promise<void> {
    if (changes.length > 0) await this.#process.request(operation.NFT_ELEMENTS, nftFields(changes))
  }

  async spawnMonitor(request: SpawnRequest): Promise<{ pid: number }> {
    const answer = await this.#process.request(operation.SPAWN, spawnFields(request), { repeatable: false })
    return { pid: answer.number(tag.PID) ?? 0 }
  }

  async sealProgram(path: string): Promise<{ path: string }> {
    const answer = await this.#process.request(operation.SEAL, [[tag.PATH, path]])
    return { path: answer.text(tag.TEXT) ?? path }
  }

  async resolveInRoot(request: {
    root: string
    path: string
    followLast: boolean
    create?: 'directory' | 'file'
    idMap?: string
  }): Promise<{ path: string; release(): Promise<void> }> {
    const kinds = { directory: createKind.DIRECTORY, file: createKind.FILE }
    const answer = await this.#process.request(operation.RESOLVE, [
      [tag.ROOT, request.root],
      [tag.PATH, request.path],
      [tag.FOLLOW, request.followLast ? 1 : 0],
      [tag.CREATE, request.create ? kinds[request.create] : createKind.NONE],
      ...(request.idMap === undefined ? [] : [[tag.ID_MAP, request.idMap] as const]),
    ])
    const path = answer.text(tag.TEXT) ?? ''
    const handle = answer.number(tag.HANDLE) ?? 0
    const holder = this.#process.pid
    let released = false
    const release = async () => {
      // A helper that was started anew holds nothing for us, and the number may be another's by now.
      if (released || this.#process.pid !== holder) return
      released = true
      await this.#process.request(operation.RELEASE, [[tag.HANDLE, handle]], { repeatable: false })
    }
    return { path, release }
  }

  async removeTree(path: string): Promise<void> {
    await this.#process.request(operation.REMOVE_TREE, [[tag.PATH, path]])
  }

  async sendDatagram(path: string, bytes: Uint8Array): Promise<void> {
    await this.#process.request(operation.DATAGRAM, [
      [tag.PATH, path],
      [tag.DATAGRAM, bytes],
    ])
  }

  close(): Promise<void> {
    return this.#process.close()
  }
}
