/**
 * Gives out the addresses of one subnet: the lowest free one, as Docker does. An address that was given back is held
 * while its last interface is still in the kernel (a network namespace dies some tens of milliseconds after it is let
 * go), because two interfaces with one address and MAC would get each other's packets.
 */
import { forbidden, unavailable } from '../errors/engine-error.ts'
import { type Address, contains, formatAddress, type Subnet, subnetSize } from './inet.ts'

export interface AddressPoolOptions {
  subnet: Subnet
  /** Addresses are chosen inside it; those asked for by name may lie anywhere in the subnet. */
  range?: Subnet
  /** True while the kernel still has the interface that carried the address last. */
  interfaceExists: (hostInterface: string) => boolean
}

export class AddressPool {
  readonly subnet: Subnet
  readonly #range: Subnet
  readonly #interfaceExists: (hostInterface: string) => boolean
  readonly #taken = new Set<bigint>()
  /** Address → the interface that carried it last. */
  readonly #held = new Map<bigint, string>()
  /** No address below it is free. */
  #lowest: bigint

  constructor(options: AddressPoolOptions) {
    this.subnet = options.subnet
    this.#range = options.range ?? options.subnet
    this.#interfaceExists = options.interfaceExists
    this.#lowest = this.#first()
  }

  /** Throws forbidden `Address already in use`. */
  take(address: Address): Address {
    if (this.#taken.has(address.value)) throw forbidden('Address already in use')
    this.#taken.add(address.value)
    this.#held.delete(address.value)
    return address
  }

  /** Throws unavailable when all addresses are taken. */
  allocate(): Address {
    const last = this.#last()
    while (this.#lowest <= last && this.#taken.has(this.#lowest)) this.#lowest += 1n
    for (let value = this.#lowest; value <= last; value += 1n) {
      if (!this.#taken.has(value) && !this.#isHeld(value)) return this.take({ family: this.subnet.family, value })
    }
    // Better an address whose predecessor is still dying than none.
    const oldest = [...this.#held.keys()].find((value) => value >= this.#first() && value <= last)
    if (oldest !== undefined) return this.take({ family: this.subnet.family, value: oldest })
    throw unavailable(`no available IPv${this.subnet.family} addresses on this network's address pools`)
  }

  release(address: Address, hostInterface?: string): void {
    if (!this.#taken.delete(address.value)) return
    if (hostInterface !== undefined) this.#held.set(address.value, hostInterface)
    if (contains(this.#range, address) && address.value < this.#lowest && address.value >= this.#first()) {
      this.#lowest = address.value
    }
  }

  isTaken(address: Address): boolean {
    return this.#taken.has(address.value)
  }

  toString(): string {
    return formatAddress({ family: this.subnet.family, value: this.subnet.base })
  }

  #isHeld(value: bigint): boolean {
    const hostInterface = this.#held.get(value)
    if (hostInterface === undefined) return false
    if (this.#interfaceExists(hostInterface)) return true
    this.#held.delete(value)
    return false
  }

  /** The network's own address names no host; it matters only where the range begins with it. */
  #first(): bigint {
    const tiny = subnetSize(this.subnet) <= 2n
    return this.#range.base + (this.#range.base === this.subnet.base && !tiny ? 1n : 0n)
  }

  #last(): bigint {
    const end = this.#range.base + subnetSize(this.#range) - 1n
    const broadcast = this.subnet.base + subnetSize(this.subnet) - 1n
    const hasBroadcast = this.subnet.family === 4 && subnetSize(this.subnet) > 2n
    return hasBroadcast && end === broadcast ? end - 1n : end
  }
}
