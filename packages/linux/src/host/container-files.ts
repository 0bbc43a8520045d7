/**
 * The directories of containers and execs: the ContainerFiles port. Calls that touch a handful of inodes are synchronous,
 * since on a disk cache or a tmpfs they take less than handing them to another thread.
 */
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ContainerFiles, HostHelper, OciSpec } from '@dockerd-ts/core'
import { listLogFiles } from '../logs/log-files.ts'

export interface ContainerFilesOptions {
  dataRoot: string
  execRoot: string
  helper: Pick<HostHelper, 'mount' | 'unmount' | 'removeTree'>
  /** Roots of user namespaces have to pass through the directories of containers. */
  passable?: boolean
}

/** Enough of an id to be unique, and short enough that a socket below it fits into a socket's address. */
const runNameLength = 32

export function createContainerFiles({ dataRoot, execRoot, helper, passable }: ContainerFilesOptions): ContainerFiles {
  const containersDirectory = join(dataRoot, 'containers')
  const keptRoot = join(dataRoot, 'removed')
  const runsDirectory = join(execRoot, 'c')
  const execsDirectory = join(execRoot, 'x')
  for (const directory of [containersDirectory, keptRoot, runsDirectory, execsDirectory]) {
    mkdirSync(directory, { recursive: true, mode: 0o710 })
  }
  // By mode: a group of theirs has no id in a mount whose ids are mapped, and would close it to everybody.
  const open = (path: string) => passable && chmodSync(path, 0o711)
  open(containersDirectory)
  const keptDirectory = (id: string) => join(keptRoot, id)
  const dataDirectory = (id: string) => join(containersDirectory, id)
  const runDirectory = (id: string) => join(runsDirectory, id.slice(0, runNameLength))
  const execDirectory = (id: string) => join(execsDirectory, id.slice(0, runNameLength))
  const sharedMemoryPath = (id: string) => join(dataDirectory(id), 'shm')
  return {
    dataDirectory,
    runDirectory,
    execDirectory,
    sharedMemoryPath,
    logPath: (id) => join(dataDirectory(id), `${id}-json.log`),
    createData(id) {
      mkdirSync(dataDirectory(id), { mode: 0o710 })
      open(dataDirectory(id))
    },
    prepareRun: (id) => emptyDirectory(runDirectory(id)),
    writeSpec: (id, spec) => writePrivate(join(runDirectory(id), 'config.json'), JSON.stringify(spec)),
    readSpec: (id) => readSpec(join(runDirectory(id), 'config.json')),
    mountSharedMemory: async (id, sizeBytes, owner) => {
      const target = sharedMemoryPath(id)
      mkdirSync(target, { recursive: true })
      await helper.mount({
        source: 'shm',
        target,
        fsType: 'tmpfs',
        flags: ['nosuid', 'noexec', 'nodev'],
        data: `mode=1777,size=${sizeBytes}${owner ? `,uid=${owner.uid},gid=${owner.gid}` : ''}`,
      })
      return target
    },
    unmountSharedMemory: (id) => helper.unmount(sharedMemoryPath(id), { detach: true }),
    prepareExec: (id, process) => {
      const path = join(emptyDirectory(execDirectory(id)), 'process.json')
      writePrivate(path, JSON.stringify(process))
      return path
    },
    removeRun: async (id) => removeSmall(runDirectory(id)),
    removeExec: async (id) => removeSmall(execDirectory(id)),
    removeData: async (id) => {
      // A mount that is left would make the tree's removal fail, or reach into another file system.
      await helper.unmount(sharedMemoryPath(id), { detach: true })
      await helper.removeTree(dataDirectory(id))
    },
    keptLogPath: (id) => join(keptDirectory(id), `${id}-json.log`),
    keepLog: (id, limitBytes) =>
      moveLog(join(dataDirectory(id), `${id}-json.log`), { directory: keptDirectory(id), limitBytes }),
    removeKept: (id) => helper.removeTree(keptDirectory(id)),
    removeDirectory: async (path) => removeSmall(path),
    existing: () => ({
      dataIds: list(containersDirectory),
      keptIds: list(keptRoot),
      runDirectories: list(runsDirectory).map((name) => join(runsDirectory, name)),
      execDirectories: list(execsDirectory).map((name) => join(execsDirectory, name)),
    }),
  }
}

/** Newest first, and none behind one that does not fit: what is kept has no gap. */
async function moveLog(
  logPath: string,
  { directory, limitBytes }: { directory: string; limitBytes: number },
): Promise<number> {
  mkdirSync(directory, { recursive: true, mode: 0o710 })
  let bytes = 0
  for (const name of readdirSync(directory)) bytes += statSync(join(directory, name)).size
  for (const { path } of await listLogFiles(logPath)) {
    const { size } = statSync(path)
    if (bytes + size > limitBytes) break
    renameSync(path, join(directory, basename(path)))
    bytes += size
  }
  return bytes
}

function emptyDirectory(path: string): string {
  removeSmall(path)
  mkdirSync(path, { mode: 0o700 })
  return path
}

/** Run directories hold a few files and sockets of our own. */
const removeSmall = (path: string): void => rmSync(path, { recursive: true, force: true })

const writePrivate = (path: string, text: string): void => writeFileSync(path, text, { mode: 0o600 })

async function readSpec(path: string): Promise<OciSpec | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return undefined
  }
}

const list = (directory: string): string[] => readdirSync(directory)
