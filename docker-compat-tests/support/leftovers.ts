/** Looks for what a daemon could leave on the machine: mounts, namespaces, links, rules, cgroups, processes. */
import { execFileSync } from 'node:child_process'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { cgroupsOf, hostLinks, lines, mountsBelow, names, publishedPorts, type Subject } from './agreement.ts'
import { call } from './call.ts'

function processes(directory: string): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return command.includes(`${directory}/`) ? [`process ${pid}: ${command}`] : []
      } catch {
        return []
      }
    })
}

function links(bridge: string): string[] {
  const all = JSON.parse(execFileSync('ip', ['-j', 'link', 'show'], { encoding: 'utf8' })) as {
    ifname: string
    master?: string
  }[]
  return all.filter((link) => link.master === bridge).map((link) => `link ${link.ifname}`)
}

function containerIds(directory: string): string[] {
  try {
    return readdirSync(`${directory}/data/containers`)
  } catch {
    return []
  }
}

function look({ directory, bridge }: { directory: string; bridge: string }): string[] {
  const mounts = lines(readFileSync('/proc/self/mountinfo', 'utf8')).filter((line) => line.includes(` ${directory}/`))
  const ids = containerIds(directory)
  const cgroups = ids.flatMap((id) => globSync([`/sys/fs/cgroup/**/docker/${id}*`, `/sys/fs/cgroup/**/*${id}.scope`]))
  return [
    ...mounts.map((line) => `mount ${line}`),
    ...links(bridge),
    ...ids.map((id) => `container directory ${id}`),
    ...cgroups.map((path) => `cgroup ${path}`),
    ...processes(directory),
  ]
}

/** What is left; the kernel removes links and cgroups a moment after their last user, so up to five seconds are given. */
export async function leftovers(of: { directory: string; bridge: string }): Promise<string[]> {
  for (const deadline = Date.now() + 5_000; ; ) {
    const left = look(of)
    if (left.length === 0 || Date.now() > deadline) return left
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Of a daemon that goes on, when all its containers, volumes and networks have been removed. */
export async function leftoversOfRunning(daemon: Subject & { readonly pid: number }): Promise<string[]> {
  const created = await createdContainers(daemon.socket)
  for (const deadline = Date.now() + 5_000; ; ) {
    const left = lookWhileRunning(daemon, created)
    if (left.length === 0 || Date.now() > deadline) return left
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** All that the daemon's events remember. */
async function createdContainers(socket: string): Promise<string[]> {
  const filters = JSON.stringify({ type: ['container'], event: ['create'] })
  const query = new URLSearchParams({ since: '0', until: String(Math.ceil(Date.now() / 1000)), filters })
  const { body } = await call(socket, 'GET', `/events?${query}`)
  return lines(body).map((line) => (JSON.parse(line) as { Actor: { ID: string } }).Actor.ID)
}

function lookWhileRunning({ directory, bridge, pid }: Subject & { pid: number }, created: readonly string[]): string[] {
  const all = hostLinks()
  const ours = all.filter(({ ifname }) => ifname.startsWith(bridge))
  return [
    ...mountsBelow(directory).map((path) => `mount ${path}`),
    ...ours.filter(({ ifname }) => ifname !== bridge).map(({ ifname }) => `bridge ${ifname}`),
    ...ours.flatMap(({ ifname }) => all.filter(({ master }) => master === ifname).map((port) => `link ${port.ifname}`)),
    ...[...publishedPorts(bridge)].map((port) => `port ${port}`),
    ...['exec/c', 'exec/x', 'exec/netns', 'data/containers'].flatMap((place) =>
      names(`${directory}/${place}`).map((name) => `${place}/${name}`),
    ),
    ...created.flatMap((id) => cgroupsOf(id).map((path) => `cgroup ${path}`)),
    ...processes(directory).filter((line) => !line.startsWith(`process ${pid}: `)),
  ]
}

/**
 * Every path below the data root and the exec root, but for the database, the cache of seccomp programs, the marker of what is not yet
 * synchronised and the directory that the first pull makes.
 */
export function treeOf(directory: string): string[] {
  const paths: string[] = []
  const visit = (place: string) => {
    for (const entry of readdirSync(`${directory}/${place}`, { withFileTypes: true })) {
      const path = `${place}/${entry.name}`
      paths.push(path)
      // Links of hostile layers lead anywhere.
      if (entry.isDirectory()) visit(path)
    }
  }
  for (const root of ['data', 'exec']) visit(root)
  return paths.filter((path) => !/^data\/(dockerd\.db|seccomp|unsynchronised|content\/partial$)/.test(path)).sort()
}
