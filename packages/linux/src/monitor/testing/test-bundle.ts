/** For host tests: OCI bundles of busybox, plans for crun and runc, and a look at what a run left behind. */

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import type { MonitorHandle, MonitorPlan, Monitors, RuntimeCommand } from '@dockerd-ts/core'
import { type HostHelperClient, startHostHelper } from '../../syscalls/host-helper.ts'
import { createMonitors } from '../monitors.ts'
import { monitorProgramInSourceTree } from '../program-path.ts'

const applets = [
  'sh',
  'true',
  'cat',
  'echo',
  'sleep',
  'head',
  'seq',
  'stty',
  'yes',
  'kill',
  'tail',
  'printf',
  'tty',
  'id',
]

export const isRoot = process.getuid?.() === 0
export const needsRoot = isRoot ? {} : { skip: 'needs root' }

/**
 * Builds the C program when its sources are newer, and answers its path. DOCKERD_TS_SANITIZE names a directory for the
 * reports of a build with sanitizers, which is then used instead.
 */
export function buildProgram(): string {
  const variant = sanitizerReports === undefined ? 'release' : 'sanitize'
  const program = monitorProgramInSourceTree()
  execFileSync(path.join(path.dirname(program), '..', 'build.sh'), [variant], { stdio: 'inherit' })
  return variant === 'release' ? program : `${program}-sanitize`
}

const sanitizerReports = process.env.DOCKERD_TS_SANITIZE

/** Of the helper and of monitors. */
export function testEnvironment(): Record<string, string> {
  const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
  if (sanitizerReports === undefined) return environment
  const options = `log_path=${sanitizerReports}/report:abort_on_error=1`
  return { ...environment, ASAN_OPTIONS: options, UBSAN_OPTIONS: `${options}:print_stacktrace=1` }
}

/** Where the host has cgroup v1 with a cgroup2 mount beside it. */
export function hybridCgroup2Mount(): { hideCgroup2Mount?: string } {
  const mounts = readFileSync('/proc/mounts', 'utf8')
  return / \/sys\/fs\/cgroup\/unified cgroup2 /.test(mounts) ? { hideCgroup2Mount: '/sys/fs/cgroup/unified' } : {}
}

function cgroupRoots(): string[] {
  const lines = readFileSync('/proc/mounts', 'utf8').split('\n')
  const mounts = lines.map((line) => line.split(' ')).filter((parts) => /^cgroup2?$/.test(parts[2] ?? ''))
  return [...new Set(mounts.map((parts) => parts[1] ?? ''))]
}

export interface RunOptions {
  args: string[]
  spec?: (spec: OciSpec) => void
  plan?: Partial<MonitorPlan>
}

// biome-ignore lint/suspicious/noExplicitAny: the specification has hundreds of optional parts; a type of them would be asserted away at every change a test makes
type OciSpec = any

/** One scratch directory with a helper, monitors and a root filesystem, for one runtime. */
export class TestBench {
  readonly directory: string
  readonly helper: HostHelperClient
  readonly monitors: Monitors
  readonly runtimeName: 'crun' | 'runc'
  readonly #ids: string[] = []
  readonly #prepared: MonitorHandle[] = []

  private constructor(directory: string, helper: HostHelperClient, runtimeName: 'crun' | 'runc') {
    this.directory = directory
    this.helper = helper
    const monitors = createMonitors({ helper, environment: testEnvironment() })
    this.monitors = {
      ...monitors,
      prepare: async (plan) => {
        const monitor = await monitors.prepare(plan)
        this.#prepared.push(monitor)
        return monitor
      },
    }
    this.runtimeName = runtimeName
  }

  static async open(runtimeName: 'crun' | 'runc' = 'crun'): Promise<TestBench> {
    const directory = await mkdtemp(path.join(tmpdir(), 'dockerd-ts-monitor-'))
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
    await mkdir(path.join(directory, 'rootfs/bin'), { recursive: true })
    for (const name of ['proc', 'dev', 'sys', 'tmp']) await mkdir(path.join(directory, 'rootfs', name))
    await copyFile('/bin/busybox', path.join(directory, 'rootfs/bin/busybox'))
    for (const applet of applets) await symlink('busybox', path.join(directory, 'rootfs/bin', applet))
    return new TestBench(
      directory,
      await startHostHelper({ program: buildProgram(), environment: testEnvironment() }),
      runtimeName,
    )
  }

  /** Ends what a failed test left: a process that runs on, and a connection that would keep Node from ending. */
  async close(): Promise<void> {
    for (const monitor of this.#prepared) {
      await monitor.signal(9).catch(() => false)
      monitor.close()
    }
    await this.helper.close()
    await rm(this.directory, { recursive: true, force: true })
  }

  async runtime(): Promise<RuntimeCommand> {
    const installed = ['/usr/bin', '/usr/sbin'].map((place) => `${place}/${this.runtimeName}`).find(existsSync)
    if (!installed) throw new Error(`${this.runtimeName} is not installed`)
    const { path: sealed } = await this.helper.sealProgram(installed)
    const flags = this.runtimeName === 'crun' ? ['--cgroup-manager=cgroupfs'] : []
    return { path: sealed, globalArguments: ['--root', this.stateRoot, ...flags], ...hybridCgroup2Mount() }
  }

  get stateRoot(): string {
    return path.join(this.directory, 'state')
  }

  cgroupDirectories(id: string): string[] {
    return cgroupRoots().map((root) => path.join(root, id))
  }

  /** A plan and its bundle, ready for `prepare`. */
  async containerPlan({ args, spec, plan }: RunOptions): Promise<MonitorPlan & { process: { containerId: string } }> {
    const id = `dts-test-${randomBytes(5).toString('hex')}`
    this.#ids.push(id)
    const directory = path.join(this.directory, id)
    await mkdir(directory, { mode: 0o700 })
    const document = ociSpec(id, args, path.join(this.directory, 'rootfs'))
    document.process.terminal = plan?.terminal ?? false
    // As in the engine's specs: the runtime sets it before the process begins, the monitor when it gets the terminal.
    document.process.consoleSize = plan?.consoleSize
    spec?.(document)
    await writeFile(path.join(directory, 'config.json'), JSON.stringify(document))
    return {
      directory,
      runtime: await this.runtime(),
      process: { kind: 'container', containerId: id, bundle: directory },
      terminal: false,
      openStdin: false,
      stdinOnce: false,
      log: { path: path.join(directory, 'json.log'), maxSizeBytes: 0, maxFiles: 1 },
      cgroupDirectories: this.cgroupDirectories(id),
      runtimeStateDirectory: path.join(this.stateRoot, id),
      ...plan,
    }
  }

  async execPlan(containerId: string, { args, spec, plan }: RunOptions): Promise<MonitorPlan> {
    const execId = randomBytes(5).toString('hex')
    const directory = path.join(this.directory, execId)
    await mkdir(directory, { mode: 0o700 })
    const document = ociSpec('', args, '').process
    document.terminal = plan?.terminal ?? false
    document.consoleSize = plan?.consoleSize
    spec?.(document)
    const processFile = path.join(directory, 'process.json')
    await writeFile(processFile, JSON.stringify(document))
    return {
      directory,
      runtime: await this.runtime(),
      process: { kind: 'exec', containerId, execId, processFile },
      terminal: false,
      openStdin: false,
      stdinOnce: false,
      ...plan,
    }
  }

  /** Names of what is left of all runs: cgroups, runtime state, sockets and temporary files. */
  leftovers(): string[] {
    const groups = this.#ids.flatMap((id) => this.cgroupDirectories(id)).filter(existsSync)
    const state = existsSync(this.stateRoot) ? readdirSync(this.stateRoot) : []
    const kept = new Set(['config.json', 'exit.json', 'json.log'])
    const files = this.#ids.flatMap((id) =>
      readdirSync(path.join(this.directory, id)).filter((name) => !kept.has(name)),
    )
    return [...groups, ...state, ...files]
  }
}

/** Splits Docker's frames: the bytes of each stream. */
export async function readFrames(stream: Duplex): Promise<{ stdout: Buffer; stderr: Buffer }> {
  const all = await readAll(stream)
  const parts: Record<number, Buffer[]> = { 1: [], 2: [] }
  for (let at = 0; at < all.length; ) {
    const size = all.readUInt32BE(at + 4)
    parts[all[at] ?? 0]?.push(all.subarray(at + 8, at + 8 + size))
    at += 8 + size
  }
  return { stdout: Buffer.concat(parts[1] ?? []), stderr: Buffer.concat(parts[2] ?? []) }
}

export async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Reads until the text so far matches; fails when the stream ends first. */
export async function readUntil(stream: Duplex, pattern: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += (chunk as Buffer).toString('latin1')
    if (pattern.test(text)) return text
  }
  throw new Error(`the stream ended before ${pattern}: ${JSON.stringify(text)}`)
}

/** The records of a json-file log. */
export function readLog(logPath: string): { log: string; stream: string; time: string; attrs?: unknown }[] {
  return readFileSync(logPath, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

/** Waits until a process that is not our child has gone (or is a zombie of somebody else). */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')) return
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function ociSpec(id: string, args: string[], rootfs: string): OciSpec {
  const capabilities = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_KILL', 'CAP_SETUID', 'CAP_SETGID']
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args,
      env: ['PATH=/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: true,
    },
    root: { path: rootfs, readonly: true },
    hostname: 'test',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
    ],
    linux: {
      cgroupsPath: `/${id}`,
      resources: {},
      namespaces: ['pid', 'ipc', 'uts', 'mount', 'network'].map((type) => ({ type })),
    },
  }
}
