/**
 * The end of a test process that was not asked to clean up: it was interrupted, or failed before it came to that. What its
 * daemons made would stay on the machine and use up, for the tests that follow, address pools among others.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { cgroupsOf, mountsBelow, names } from './agreement.ts'

export interface Abandoned {
  readonly directory: string
  readonly bridge: string
}

/** Synchronous, since a process that exits waits for nothing. The daemon itself is dead by now. */
export function cleanUp({ directory, bridge }: Abandoned): void {
  for (const id of names(`${directory}/data/containers`)) killContainer(id)
  for (const pid of processesOf(directory)) kill(pid)
  // A mount lies on those that were made before it.
  for (const path of mountsBelow(directory).reverse()) attempt('umount', '-l', path)
  removeNetworks(bridge, directory)
  // What is mounted there still would be reached by a removal.
  if (mountsBelow(directory).length === 0) rmSync(directory, { recursive: true, force: true })
}

function killContainer(id: string): void {
  for (const group of cgroupsOf(id)) {
    const list = `${group}/cgroup.procs`
    if (!existsSync(list)) continue
    for (const pid of readFileSync(list, 'utf8').split('\n')) if (pid !== '') kill(Number(pid))
  }
}

/** Monitors and helpers name their directories. */
function processesOf(directory: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${directory}/`)
      } catch {
        return false
      }
    })
    .map(Number)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has gone meanwhile.
  }
}

/** The bridges and their firewall tables stay when a daemon ends, as docker0 does; a test's own go with it. */
export function removeNetworks(bridge: string, directory: string): void {
  // A daemon without a default bridge names its tables after its exec root.
  const tables = [`dockerd-ts-${bridge}`, `dockerd-ts-${`${directory}/exec`.replace(/\W+/g, '-').slice(-64)}`]
  for (const name of new Set([bridge, ...tables.flatMap(bridgesIn)])) attempt('ip', 'link', 'del', name)
  for (const table of tables) {
    for (const family of ['inet', 'netdev']) attempt('nft', 'delete', 'table', family, table)
  }
}

/** Of the networks that clients have made. */
export function bridgesIn(table: string): string[] {
  try {
    const text = execFileSync('nft', ['list', 'table', 'inet', table], { encoding: 'utf8', stdio: 'pipe' })
    return text.match(/\bbr-[0-9a-f]{12}\b/g) ?? []
  } catch {
    return []
  }
}

/** Not every daemon makes all of them. */
function attempt(program: string, ...argv: string[]): void {
  try {
    execFileSync(program, argv, { stdio: 'ignore' })
  } catch {
    // Gone, or never there.
  }
}
