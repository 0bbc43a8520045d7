/**
 * The Runtimes port: crun and runc where they are installed, and what --add-runtime names. crun is the default: it is a
 * third as expensive to start as runc.
 */
import { join } from 'node:path'
import {
  type HostHelper,
  invalidArgument,
  type OciSeccomp,
  type ResolvedRuntime,
  type RuntimeCommand,
  type Runtimes,
} from '@dockerd-ts/core'
import type { CgroupLayout } from '../cgroups/cgroup-layout.ts'
import { tryCommand } from '../command/run-command.ts'
import {
  fileIdentity,
  findProgram,
  type RuntimeProgram,
  readRuntimeFeatures,
  readRuntimeProgram,
} from './runtime-program.ts'
import { SeccompCache } from './seccomp-cache.ts'

export interface RuntimesOptions {
  helper: Pick<HostHelper, 'sealProgram'>
  cgroups: { layout: CgroupLayout; driver: 'cgroupfs' | 'systemd' | 'none' }
  /** Below the exec root: the state of running containers; gone after a reboot. */
  stateRoot: string
  /** Below the data root: compiled seccomp filters. */
  seccompDirectory: string
  /** --add-runtime and daemon.json's `runtimes`. */
  addedRuntimes?: Readonly<Record<string, { path: string; runtimeArgs?: readonly string[] }>>
  /** --default-runtime. */
  defaultRuntime?: string
  /** Instead of the environment's PATH. */
  searchPath?: string
}

/** What a reload of the daemon can change. */
export type RuntimeChoice = Pick<RuntimesOptions, 'addedRuntimes' | 'defaultRuntime'>

/** Throws invalidArgument when the default runtime is unknown, or when the host has none at all. */
export async function createRuntimes(options: RuntimesOptions): Promise<HostRuntimes> {
  return new HostRuntimes(options, await settle(options))
}

interface Settled {
  entries: ReadonlyMap<string, RuntimeEntry>
  defaultName: string
}

async function settle(options: RuntimesOptions): Promise<Settled> {
  const entries = new Map<string, RuntimeEntry>()
  for (const name of ['crun', 'runc']) {
    const path = findProgram(name, options.searchPath)
    if (path !== undefined) entries.set(name, { name, path, runtimeArgs: [] })
  }
  for (const [name, { path, runtimeArgs }] of Object.entries(options.addedRuntimes ?? {})) {
    entries.set(name, { name, path, runtimeArgs: [...(runtimeArgs ?? [])] })
  }
  return { entries, defaultName: await defaultName(options, entries) }
}

interface RuntimeEntry {
  name: string
  path: string
  runtimeArgs: string[]
}

async function defaultName(options: RuntimesOptions, entries: ReadonlyMap<string, RuntimeEntry>): Promise<string> {
  if (options.defaultRuntime !== undefined) {
    if (entries.has(options.defaultRuntime)) return options.defaultRuntime
    throw invalidArgument(`specified default runtime '${options.defaultRuntime}' does not exist`)
  }
  const crun = entries.get('crun')
  if (crun !== undefined && (!entries.has('runc') || (await crunServes(crun.path, options.cgroups.driver))))
    return 'crun'
  if (entries.has('runc')) return 'runc'
  throw invalidArgument('no OCI runtime was found: install crun or runc, or name one with --add-runtime')
}

/** It has to run here at all, and needs to have been built with systemd to use its driver. */
async function crunServes(path: string, driver: RuntimesOptions['cgroups']['driver']): Promise<boolean> {
  try {
    const program = await readRuntimeProgram(path, '')
    return program.isCrun && (driver !== 'systemd' || program.features.has('+SYSTEMD'))
  } catch {
    return false
  }
}

function identityOf({ name, path }: RuntimeEntry): string {
  try {
    return fileIdentity(path)
  } catch (error) {
    throw invalidArgument(`runtime ${name} is not installed: ${path}`, error)
  }
}

interface KnownProgram {
  program: RuntimeProgram
  seccomp: SeccompCache
}

export class HostRuntimes implements Runtimes {
  readonly #options: RuntimesOptions
  #settled: Settled
  /** Path and identity of a program → what it says. */
  readonly #features = new Map<string, Promise<string | undefined>>()
  readonly #known = new Map<string, KnownProgram>()

  constructor(options: RuntimesOptions, settled: Settled) {
    this.#options = options
    this.#settled = settled
  }

  get defaultName(): string {
    return this.#settled.defaultName
  }

  get #entries(): ReadonlyMap<string, RuntimeEntry> {
    return this.#settled.entries
  }

  /** Checks another choice, throwing as `createRuntimes` does; answers what puts it into force. */
  async prepare(choice: RuntimeChoice): Promise<() => void> {
    const { addedRuntimes: _, defaultRuntime: __, ...others } = this.#options
    const settled = await settle({ ...others, ...choice })
    return () => {
      this.#settled = settled
      this.#known.clear()
    }
  }

  list(): Record<string, { path: string; runtimeArgs?: string[] }> {
    return Object.fromEntries(
      [...this.#entries.values()].map(({ name, path, runtimeArgs }) => [
        name,
        { path, ...(runtimeArgs.length > 0 && { runtimeArgs }) },
      ]),
    )
  }

  async features(name: string): Promise<string | undefined> {
    const entry = this.#entries.get(name)
    if (entry === undefined || findProgram(entry.path, '') === undefined) return undefined
    const key = `${entry.path} ${identityOf(entry)}`
    const known = this.#features.get(key) ?? readRuntimeFeatures(entry.path)
    this.#features.set(key, known)
    return known
  }

  async resolve(name?: string): Promise<ResolvedRuntime> {
    const wanted = name || this.defaultName
    const entry = this.#entries.get(wanted)
    if (entry === undefined) throw invalidArgument(`unknown or invalid runtime name: ${wanted}`)
    const known = await this.#know(entry)
    const { program, seccomp } = known
    const stateDirectory = (containerId: string) => join(this.#stateRoot(entry), containerId)
    return {
      name: entry.name,
      command: await this.#command(entry, program),
      stateDirectory,
      deleteForce: (containerId) => this.#deleteForce(entry, program, containerId),
      version: program.version,
      isCrun: program.isCrun,
      seccompAnnotations: async (filter: OciSeccomp | undefined) =>
        filter === undefined || !program.isCrun ? {} : seccomp.annotations(filter),
      keepSeccomp: async (filter, { containerId, pid }) => {
        if (filter === undefined || !program.isCrun) return
        await seccomp.keep(filter, { pid, stateDirectory: stateDirectory(containerId) })
      },
    }
  }

  /** One directory for each runtime: their state files differ. */
  #stateRoot(entry: RuntimeEntry): string {
    return join(this.#options.stateRoot, entry.name)
  }

  /** The program is run for its version only when another file is at its path. */
  async #know(entry: RuntimeEntry): Promise<KnownProgram> {
    const identity = identityOf(entry)
    const known = this.#known.get(entry.name)
    if (known?.program.identity === identity) return known
    const program = await readRuntimeProgram(entry.path, identity)
    const fresh = {
      program,
      seccomp: new SeccompCache({
        directory: this.#options.seccompDirectory,
        runtime: `${program.version} ${identity}`,
      }),
    }
    this.#known.set(entry.name, fresh)
    return fresh
  }

  async #command(entry: RuntimeEntry, program: RuntimeProgram): Promise<RuntimeCommand> {
    const hidden = hiddenCgroup2(this.#options.cgroups.layout, program)
    return {
      // crun copies itself into a sealed memory file before it does anything, unless it was started from one.
      path: program.isCrun ? (await this.#options.helper.sealProgram(entry.path)).path : entry.path,
      globalArguments: this.#globalArguments(entry, program),
      ...(hidden !== undefined && { hideCgroup2Mount: hidden }),
    }
  }

  #globalArguments(entry: RuntimeEntry, program: RuntimeProgram): string[] {
    const { driver } = this.#options.cgroups
    const cgroupArguments =
      driver === 'systemd' ? ['--systemd-cgroup'] : program.isCrun ? [`--cgroup-manager=${crunManager(driver)}`] : []
    return [...entry.runtimeArgs, '--root', this.#stateRoot(entry), ...cgroupArguments]
  }

  async #deleteForce(entry: RuntimeEntry, program: RuntimeProgram, containerId: string): Promise<void> {
    const command = [entry.path, ...this.#globalArguments(entry, program), 'delete', '--force', containerId]
    const hidden = hiddenCgroup2(this.#options.cgroups.layout, program)
    const argv = hidden === undefined ? command : withoutMount(hidden, command)
    const { exitCode, stderr } = await tryCommand(argv, { timeoutMs: 30_000, maxOutputBytes: 65_536 })
    if (exitCode === 0 || /does not exist|no such file or directory/i.test(stderr)) return
    throw new Error(`${entry.name} delete --force ${containerId}: ${stderr.trim()}`)
  }
}

const crunManager = (driver: 'cgroupfs' | 'none'): string => (driver === 'none' ? 'disabled' : 'cgroupfs')

/** crun refuses hosts that have v1 hierarchies and a cgroup2 mount: it must not see the latter. */
function hiddenCgroup2(layout: CgroupLayout, program: RuntimeProgram): string | undefined {
  return program.isCrun && layout.version === '1' ? layout.unified : undefined
}

/** Runs a command in a mount namespace of its own, without one mount; the host keeps it. */
function withoutMount(mountPoint: string, command: readonly string[]): string[] {
  const script = 'umount "$0" && exec "$@"'
  return ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', script, mountPoint, ...command]
}
