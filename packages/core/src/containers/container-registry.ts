/** All containers by id and name, in memory; looked up as Docker does: full id, exact name, unique prefix of an id. */
import { conflict, invalidArgument, notFound } from '../errors/engine-error.ts'
import type { Container } from './container.ts'
import type { ContainerRecord } from './container-record.ts'

export class ContainerRegistry {
  readonly #byId = new Map<string, Container>()
  readonly #byName = new Map<string, Container>()
  /** Names of containers that are just being made. */
  readonly #reserved = new Map<string, string>()
  /** Containers that are just being made: found by nobody, but what they are made from is in use already. */
  readonly #making = new Map<string, ContainerRecord>()

  get size(): number {
    return this.#byId.size
  }

  all(): Container[] {
    return [...this.#byId.values()]
  }

  /** Of all containers, and of those that are just being made. */
  records(): ContainerRecord[] {
    return [...this.all().map(({ record }) => record), ...this.#making.values()]
  }

  /** From before anything is made for it until `add` or `abandon`. */
  make(record: ContainerRecord): void {
    this.#making.set(record.id, record)
  }

  abandon(record: ContainerRecord): void {
    this.#making.delete(record.id)
  }

  get(id: string): Container | undefined {
    return this.#byId.get(id)
  }

  byName(name: string): Container | undefined {
    return this.#byName.get(name)
  }

  /** Throws notFound `No such container: x`, or invalidArgument when a prefix fits several. */
  find(reference: string): Container {
    const exact = this.#byId.get(reference) ?? this.#byName.get(reference.replace(/^\//, ''))
    if (exact !== undefined) return exact
    const linked = this.#byLink(reference)
    if (linked !== undefined) return linked
    if (/^[0-9a-f]{1,63}$/.test(reference)) {
      let found: Container | undefined
      for (const [id, container] of this.#byId) {
        if (!id.startsWith(reference)) continue
        if (found !== undefined) throw invalidArgument(`multiple IDs found with provided prefix: ${reference}`)
        found = container
      }
      if (found !== undefined) return found
    }
    throw notFound(`No such container: ${reference}`)
  }

  /** `parent/alias`: what the parent is linked to. */
  #byLink(reference: string): Container | undefined {
    const [, parent = '', alias] = /^\/?([^/]+)\/([^/]+)$/.exec(reference) ?? []
    const links = this.#byName.get(parent)?.record.hostConfig.Links ?? []
    const found = links.map((link) => link.split(':')).find((link) => link[1] === alias)
    return found && this.#byId.get(found[0] ?? '')
  }

  /** Throws conflict when the name is taken. The reservation ends with `add` or `unreserve`. */
  reserve(name: string, id: string): void {
    const holder = this.holderOf(name)
    if (holder !== undefined) throw nameConflict(name, holder)
    this.#reserved.set(name, id)
  }

  unreserve(name: string): void {
    this.#reserved.delete(name)
  }

  holderOf(name: string): string | undefined {
    return this.#byName.get(name)?.id ?? this.#reserved.get(name)
  }

  add(container: Container): void {
    this.#making.delete(container.id)
    this.#reserved.delete(container.record.name)
    this.#byId.set(container.id, container)
    this.#byName.set(container.record.name, container)
  }

  rename(container: Container, name: string): void {
    this.#byName.delete(container.record.name)
    this.#reserved.delete(name)
    container.record.name = name
    this.#byName.set(name, container)
  }

  delete(container: Container): void {
    this.#byId.delete(container.id)
    if (this.#byName.get(container.record.name) === container) this.#byName.delete(container.record.name)
  }
}

const nameConflict = (name: string, holder: string) =>
  conflict(
    `Conflict. The container name "/${name}" is already in use by container "${holder}". ` +
      'You have to remove (or rename) that container to be able to reuse that name.',
  )
