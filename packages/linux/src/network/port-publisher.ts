/** Finds host ports for a container's requests and holds them: against our own containers and the host's programs. */
import {
  type EngineError,
  hostAddresses,
  internal,
  type PortRange,
  type PortRequest,
  PortTable,
  type PublishedPort,
} from '@dockerd-ts/core'
import { type HeldPort, holdPort } from './host-ports.ts'

/** Who asks: named in errors, and the owner of what is found. */
export interface PortOwner {
  endpointId: string
  containerName: string
  /** Shown beside the port in errors. */
  address: string
}

export interface PublishOptions {
  /** IPv6 bindings can be served. */
  ipv6: boolean
  /** For requests that name no host address; '' is all. */
  hostBindingIpv4: string
}

const portKey = ({ protocol, hostIp, hostPort }: PublishedPort): string => `${protocol} ${hostIp} ${hostPort}`

export class PortPublisher {
  readonly #table: PortTable
  readonly #held = new Map<string, HeldPort>()

  constructor(ephemeral: PortRange) {
    this.#table = new PortTable(ephemeral)
  }

  /** All requests or none. Throws internal `driver failed programming external connectivity on endpoint …`. */
  async publish(requests: readonly PortRequest[], owner: PortOwner, options: PublishOptions): Promise<PublishedPort[]> {
    const published: PublishedPort[] = []
    try {
      for (const request of requests) {
        const hostIp = request.hostIp || options.hostBindingIpv4
        const addresses = hostAddresses(stripBrackets(hostIp), options.ipv6)
        published.push(...(await this.#publishOne(request, addresses, owner)))
      }
      return published
    } catch (error) {
      this.release(published, owner.endpointId)
      throw error
    }
  }

  async #publishOne(request: PortRequest, addresses: string[], owner: PortOwner): Promise<PublishedPort[]> {
    const { protocol, containerPort } = request
    let failure: string | undefined
    for (const hostPort of this.#table.candidates(request)) {
      const ports = addresses.map((hostIp) => ({ protocol, containerPort, hostIp, hostPort }))
      const taken = ports.find((port) => this.#table.isTaken(port))
      if (taken !== undefined) {
        failure ??= `Bind for ${hostPortText(taken)} failed: port is already allocated`
        continue
      }
      try {
        await this.#hold(ports, owner)
        return ports
      } catch (error) {
        failure ??= (error as Error).message
      }
    }
    throw portFailure(owner, failure ?? 'all ports are allocated')
  }

  async #hold(ports: readonly PublishedPort[], owner: PortOwner): Promise<void> {
    // Taken before the first await, so that a concurrent start cannot choose the same.
    for (const port of ports) this.#table.take(port, owner.endpointId)
    try {
      for (const port of ports) this.#held.set(portKey(port), await this.#bind(port, owner))
    } catch (error) {
      this.release(ports, owner.endpointId)
      throw error
    }
  }

  async #bind(port: PublishedPort, { address }: PortOwner): Promise<HeldPort> {
    try {
      return await holdPort(port)
    } catch (error) {
      const target = `${address}:${port.containerPort}/${port.protocol}`
      throw new Error(`failed to bind host port for ${hostPortText(port)}:${target}: ${bindFailure(error)}`, {
        cause: error,
      })
    }
  }

  /** After a restart: what a running container has keeps, whoever else has the port meanwhile. Answers who could not be held. */
  async restore(ports: readonly PublishedPort[], endpointId: string): Promise<PublishedPort[]> {
    const lost: PublishedPort[] = []
    for (const port of ports) {
      this.#table.take(port, endpointId)
      try {
        this.#held.set(portKey(port), await holdPort(port))
      } catch {
        lost.push(port)
      }
    }
    return lost
  }

  /** Makes another endpoint of the same container the owner. */
  move(ports: readonly PublishedPort[], endpointId: string): void {
    for (const port of ports) this.#table.take(port, endpointId)
  }

  release(ports: readonly PublishedPort[], endpointId: string): void {
    for (const port of ports) {
      if (!this.#table.release(port, endpointId)) continue
      this.#held.get(portKey(port))?.close()
      this.#held.delete(portKey(port))
    }
  }

  close(): void {
    for (const held of this.#held.values()) held.close()
    this.#held.clear()
  }
}

const stripBrackets = (hostIp: string): string => hostIp.replace(/^\[(.*)\]$/, '$1')

const hostPortText = ({ hostIp, hostPort }: PublishedPort): string =>
  hostIp.includes(':') ? `[${hostIp}]:${hostPort}` : `${hostIp}:${hostPort}`

const portFailure = ({ containerName, endpointId }: PortOwner, why: string): EngineError =>
  internal(`driver failed programming external connectivity on endpoint ${containerName} (${endpointId}): ${why}`)

const bindFailures: Record<string, string> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
  EAFNOSUPPORT: 'address family not supported by protocol',
}

function bindFailure(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return bindFailures[code ?? ''] ?? message
}
