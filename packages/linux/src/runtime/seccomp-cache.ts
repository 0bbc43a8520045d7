/**
 * Compiled seccomp filters. libseccomp needs 14–18 ms to compile Docker's profile, on every start; crun takes the result
 * from an annotation instead (`run.oci.seccomp_bpf_data`) and leaves it in its state directory after a start. So the
 * first start with a profile pays and the later ones do not. Filters outlive the daemon in a directory of their own.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { arch, release } from 'node:os'
import { join } from 'node:path'
import type { OciSeccomp } from '@dockerd-ts/core'
import { processSeccomp } from '../processes/proc-files.ts'

const annotation = 'run.oci.seccomp_bpf_data'

/** The kernel takes 4096 instructions of eight bytes. */
const instructionBytes = 8
const largestFilterBytes = 4096 * instructionBytes

/** Custom profiles would otherwise fill the directory over the years. */
const mostFiles = 64

/** SECCOMP_MODE_FILTER. */
const filterMode = 2

export interface SeccompCacheOptions {
  /** Private to the engine: who can write here can take away the confinement of containers. */
  directory: string
  /** The runtime's version and identity: another one may compile differently. */
  runtime: string
}

export interface StartedContainer {
  pid: number
  /** Where the runtime keeps the state of this container. */
  stateDirectory: string
}

export class SeccompCache {
  readonly #directory: string
  readonly #runtime: string
  /** base64 by key; null: looked for and not there. */
  readonly #filters = new Map<string, string | null>()
  /** Keys handed out whose filter was seen to confine a process. */
  readonly #confirmed = new Set<string>()
  /** Being written for the first of several starts at once. */
  readonly #storing = new Set<string>()
  readonly #keys = new WeakMap<OciSeccomp, string>()

  constructor({ directory, runtime }: SeccompCacheOptions) {
    this.#directory = directory
    this.#runtime = runtime
  }

  async annotations(filter: OciSeccomp): Promise<Record<string, string>> {
    // A listener gets its descriptor from the runtime's own compilation.
    if (filter.listenerPath) return {}
    const key = this.#keyOf(filter)
    const known = this.#filters.get(key)
    const data = known === undefined ? await this.#load(key) : known
    return data === null ? {} : { [annotation]: data }
  }

  /**
   * Looks at a container that was started with this filter: keeps what the runtime compiled, or confirms what was kept.
   * Throws when the process runs without a filter of its own; the kept one is then forgotten.
   */
  async keep(filter: OciSeccomp, started: StartedContainer): Promise<void> {
    const key = this.#keyOf(filter)
    if (filter.listenerPath || this.#confirmed.has(key)) return
    const confined = isConfined(started.pid)
    // It has ended already: nothing can be learnt from it.
    if (confined === undefined) return
    if (!confined) {
      await this.#forget(key)
      throw new Error(`process ${started.pid} runs without its seccomp filter`)
    }
    if (typeof this.#filters.get(key) === 'string') this.#confirmed.add(key)
    else if (!this.#storing.has(key)) await this.#keepCompiled(key, started)
  }

  /** What cannot be kept costs later starts their time, and nobody's life. */
  async #keepCompiled(key: string, { stateDirectory }: StartedContainer): Promise<void> {
    this.#storing.add(key)
    try {
      const compiled = await readFilter(join(stateDirectory, 'seccomp.bpf'))
      if (compiled === undefined) return
      await this.#store(key, compiled)
      this.#confirmed.add(key)
    } catch {
      // The next start compiles again.
    } finally {
      this.#storing.delete(key)
    }
  }

  #keyOf(filter: OciSeccomp): string {
    const known = this.#keys.get(filter)
    if (known !== undefined) return known
    // The resolved rules contain what the capabilities have decided.
    const key = createHash('sha256')
      .update(JSON.stringify([this.#runtime, arch(), release(), filter]))
      .digest('hex')
    this.#keys.set(filter, key)
    return key
  }

  #path(key: string): string {
    return join(this.#directory, `${key}.bpf`)
  }

  async #load(key: string): Promise<string | null> {
    const data = (await readFilter(this.#path(key)))?.toString('base64') ?? null
    this.#filters.set(key, data)
    return data
  }

  async #store(key: string, compiled: Buffer): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const staged = `${this.#path(key)}.${process.pid}.new`
    await writeFile(staged, compiled, { mode: 0o600, flush: true })
    await rename(staged, this.#path(key))
    this.#filters.set(key, compiled.toString('base64'))
    await this.#removeOldest()
  }

  async #forget(key: string): Promise<void> {
    this.#filters.set(key, null)
    await rm(this.#path(key), { force: true })
  }

  async #removeOldest(): Promise<void> {
    const names = await readdir(this.#directory)
    if (names.length <= mostFiles) return
    const files = await Promise.all(
      names.map(async (name) => ({ name, mtimeMs: (await stat(join(this.#directory, name))).mtimeMs })),
    )
    const surplus = files.sort((a, b) => a.mtimeMs - b.mtimeMs).slice(0, files.length - mostFiles)
    for (const { name } of surplus) await rm(join(this.#directory, name), { force: true })
  }
}

/** One filter more than this process has itself. undefined when the process is gone. */
function isConfined(pid: number): boolean | undefined {
  const state = processSeccomp(pid)
  const own = processSeccomp(process.pid)
  return state && state.mode === filterMode && state.filters > (own?.filters ?? 0)
}

/** undefined: there is none, or it is no filter. */
async function readFilter(path: string): Promise<Buffer | undefined> {
  try {
    const data = await readFile(path)
    const plausible = data.length > 0 && data.length <= largestFilterBytes && data.length % instructionBytes === 0
    return plausible ? data : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
