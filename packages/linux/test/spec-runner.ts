/** Runs a built OCI spec with a real runtime in a root filesystem made of busybox, and answers what it printed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  buildOciSpec,
  checkHostConfig,
  type OciSpec,
  type ResolvedRuntime,
  resolveUser,
  type SpecInput,
} from '@dockerd-ts/core'
import { tryCommand } from '../src/command/run-command.ts'
import { createCgroups, createRuntimes, type HostCgroups, LinuxHost } from '../src/index.ts'
import { findProgram } from '../src/runtime/runtime-program.ts'

export const busybox = findProgram('busybox')

export interface SpecRunnerOptions {
  runtimeName: 'crun' | 'runc'
  driver: 'cgroupfs' | 'systemd'
}

export interface RunRequest {
  script?: string
  config?: SpecInput['config']
  hostConfig?: SpecInput['hostConfig']
  mounts?: SpecInput['mounts']
  /** Joined when the network mode is not host. */
  networkNamespace?: string
  initPath?: string
}

export interface RunResult {
  exitCode: number
  stdout: string
  stderr: string
}

const passwdText = 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n'
const groupText = 'root:x:0:\nusers:x:100:alice\nwheel:x:10:root,alice\nalice:x:1000:\n'

export class SpecRunner {
  readonly directory = mkdtempSync(join(tmpdir(), 'dockerd-ts-spec-'))
  readonly rootfs = join(this.directory, 'rootfs')
  readonly cgroups: HostCgroups
  readonly #host: LinuxHost
  readonly #runtimeName: string
  readonly #ids = new Set<string>()
  #runtime: ResolvedRuntime | undefined

  constructor({ runtimeName, driver }: SpecRunnerOptions) {
    this.#runtimeName = runtimeName
    const parents = { cgroupfs: `/dockerd-ts-test-${process.pid}`, systemd: 'dockerdtstest.slice' }
    this.cgroups = createCgroups({ driver, defaultParent: parents[driver] })
    this.#host = new LinuxHost({ cgroups: this.cgroups })
    this.#makeRootFilesystem()
  }

  #makeRootFilesystem(): void {
    for (const name of ['bin', 'sbin', 'etc', 'tmp', 'proc', 'dev', 'sys', 'root']) {
      mkdirSync(join(this.rootfs, name), { recursive: true })
    }
    copyFileSync(busybox ?? '', join(this.rootfs, 'bin/busybox'))
    for (const applet of 'sh cat id ls env grep mkdir touch hostname unshare sleep true chroot test stat pwd'.split(
      ' ',
    )) {
      symlinkSync('busybox', join(this.rootfs, 'bin', applet))
    }
    writeFileSync(join(this.rootfs, 'etc/passwd'), passwdText)
    writeFileSync(join(this.rootfs, 'etc/group'), groupText)
  }

  async runtime(): Promise<ResolvedRuntime> {
    if (this.#runtime !== undefined) return this.#runtime
    const runtimes = await createRuntimes({
      helper: { sealProgram: async (path) => ({ path }) },
      cgroups: this.cgroups,
      stateRoot: join(this.directory, 'state'),
      seccompDirectory: join(this.directory, 'seccomp'),
    })
    this.#runtime = await runtimes.resolve(this.#runtimeName)
    return this.#runtime
  }

  newId(): string {
    const id = randomBytes(32).toString('hex')
    this.#ids.add(id)
    return id
  }

  async spec(id: string, request: RunRequest): Promise<OciSpec> {
    const described = await this.#host.describe()
    const host = { ...described, ...(request.initPath !== undefined && { initPath: request.initPath }) }
    const asked = { NetworkMode: 'host', ...request.hostConfig }
    const config = { Cmd: ['sh', '-c', request.script ?? 'true'], Hostname: 'box', ...request.config }
    const { hostConfig } = checkHostConfig(asked, config, host)
    return buildOciSpec({
      containerId: id,
      config,
      hostConfig,
      host,
      rootfsPath: this.rootfs,
      user: resolveUser({ passwdText, groupText }, config.User ?? '', hostConfig.GroupAdd ?? []),
      hostname: 'box',
      ...(config.Domainname && { domainname: config.Domainname }),
      namespacePaths: request.networkNamespace === undefined ? {} : { network: request.networkNamespace },
      mounts: request.mounts ?? [],
      devices: await this.#host.findDevices(hostConfig),
      cgroupsPath: this.cgroups.specPath(id),
    })
  }

  /** The runtime's whole command line, with the cgroup2 mount hidden where it must be. */
  async command(...subcommand: string[]): Promise<string[]> {
    const { command } = await this.runtime()
    const argv = [command.path, ...command.globalArguments, ...subcommand]
    if (command.hideCgroup2Mount === undefined) return argv
    const script = 'umount "$0" && exec "$@"'
    return ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', script, command.hideCgroup2Mount, ...argv]
  }

  writeBundle(id: string, spec: OciSpec): string {
    const bundle = join(this.directory, id.slice(0, 12))
    mkdirSync(bundle, { recursive: true })
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec))
    return bundle
  }

  /** Runs to the end. */
  async run(request: RunRequest): Promise<RunResult> {
    const id = this.newId()
    const bundle = this.writeBundle(id, await this.spec(id, request))
    return tryCommand(await this.command('run', '--bundle', bundle, id), {
      timeoutMs: 30_000,
      maxOutputBytes: 1024 * 1024,
    })
  }

  /** Starts a container and leaves it running; `stop` ends it. */
  async start(id: string, spec: OciSpec): Promise<void> {
    const bundle = this.writeBundle(id, spec)
    const [program = '', ...rest] = await this.command('run', '--detach', '--bundle', bundle, id)
    // The container inherits these: pipes would keep the call from ending.
    const child = spawn(program, rest, { stdio: 'ignore' })
    const code = await ended(child)
    if (code !== 0) throw new Error(`${program} ended with ${code}`)
  }

  async dispose(): Promise<void> {
    const { deleteForce } = await this.runtime()
    for (const id of this.#ids) {
      await deleteForce(id)
      await this.cgroups.remove(id)
    }
    // systemd removes its slices itself.
    const parents = this.cgroups.driver === 'systemd' ? [] : this.cgroups.directories('x')
    for (const directory of parents) removeIfThere(join(directory, '..'))
    rmSync(this.directory, { recursive: true, force: true })
  }
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })

function removeIfThere(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
