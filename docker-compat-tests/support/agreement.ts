/**
 * Whether the API of a running daemon and the kernel tell the same: each container against its process, monitor, mounts,
 * namespace, cgroup and addresses; networks against links and map elements; volumes and images against directories.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { call } from './call.ts'

export interface Subject {
  readonly socket: string
  readonly directory: string
  readonly bridge: string
}

interface ContainerView {
  Id: string
  Name: string
  State: { Pid: number; Running: boolean; Paused: boolean; Status: string }
  ExecIDs: string[] | null
  HostConfig: { NetworkMode: string; Memory: number }
  NetworkSettings: {
    Networks: Record<string, { IPAddress: string; MacAddress: string }>
    Ports: Record<string, { HostPort: string }[] | null>
  }
}

interface LinkView {
  ifname: string
  master?: string
}

export const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

export const names = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory) : [])

/** Mount points below a directory. */
export const mountsBelow = (directory: string): string[] =>
  lines(readFileSync('/proc/self/mountinfo', 'utf8'))
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${directory}/`))

export const hostLinks = (): LinkView[] =>
  JSON.parse(execFileSync('ip', ['-j', 'link', 'show'], { encoding: 'utf8' })) as LinkView[]

/** Cgroups of a container, in every hierarchy. */
export const cgroupsOf = (id: string): string[] =>
  globSync([`/sys/fs/cgroup/*/docker/${id}`, `/sys/fs/cgroup/docker/${id}`, `/sys/fs/cgroup/*/*/docker-${id}.scope`])

/** Published ports of the daemon's table, from its maps. */
export function publishedPorts(bridge: string): Set<string> {
  const found = new Set<string>()
  let text = ''
  try {
    text = execFileSync('nft', ['list', 'table', 'inet', `dockerd-ts-${bridge}`], { encoding: 'utf8', stdio: 'pipe' })
  } catch {
    return found
  }
  for (const [, list = ''] of text.matchAll(/elements = \{([^}]*)\}/g)) {
    for (const element of list.split(',')) {
      const [key = '', value] = element.split(' : ')
      if (value !== undefined) found.add((key.trim().split(' . ').at(-1) ?? '').trim())
    }
  }
  return found
}

function processFacts(pid: number): { parentCommand: string; state: string } | undefined {
  try {
    const [state = '', parent = ''] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(' ')
    return { state, parentCommand: readFileSync(`/proc/${parent}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() }
  } catch {
    return undefined
  }
}

export async function get<T>(socket: string, path: string): Promise<T> {
  const { status, json, body } = await call(socket, 'GET', path)
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`)
  return json as T
}

export async function containersOf(socket: string): Promise<ContainerView[]> {
  const list = await get<{ Id: string }[]>(socket, '/containers/json?all=1')
  return Promise.all(list.map(({ Id }) => get<ContainerView>(socket, `/containers/${Id}/json`)))
}

/**
 * What does not agree, in words: should be []. Containers start and end while this looks (restart policies), and the
 * kernel lets go of links a moment later, so it may take five seconds until all agrees.
 */
export async function disagreements(subject: Subject): Promise<string[]> {
  for (const deadline = Date.now() + 5_000; ; ) {
    const found = await look(subject).catch((error: unknown) => [String(error)])
    if (found.length === 0 || Date.now() > deadline) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function look(subject: Subject): Promise<string[]> {
  const containers = await containersOf(subject.socket)
  const found: string[] = []
  for (const container of containers) found.push(...(await containerProblems(subject, container)))
  found.push(...strangers(subject, containers))
  found.push(...(await networkProblems(subject, containers)))
  found.push(...(await volumeProblems(subject)))
  for (const staging of ['data/content/staging', 'data/layers/staging', 'data/volumes/.removed']) {
    found.push(...names(`${subject.directory}/${staging}`).map((name) => `${staging}/${name} is left`))
  }
  return found
}

const runName = (id: string) => id.slice(0, 32)

async function containerProblems({ socket, directory }: Subject, container: ContainerView): Promise<string[]> {
  const { Id: id, State: state } = container
  const problems: string[] = []
  const expect = (condition: boolean, text: string) => {
    if (!condition) problems.push(`${container.Name} (${state.Status}): ${text}`)
  }
  const alive = state.Pid > 0
  const run = `${directory}/exec/c/${runName(id)}`
  const namespace = `${directory}/exec/netns/${id}`
  const owned = !/^(host|none|container:)/.test(container.HostConfig.NetworkMode)
  expect(existsSync(`${directory}/data/containers/${id}`), 'its directory is missing')
  const merged = mountsBelow(directory).filter((path) => path.includes(id) && path.endsWith('/merged'))
  expect(merged.length === (alive ? 1 : 0), `${merged.length} root filesystems are mounted`)
  expect(existsSync(run) === alive, alive ? 'no run directory' : 'a run directory is left')
  if (owned) expect(existsSync(namespace) === alive, alive ? 'no namespace file' : 'a namespace file is left')
  expect(cgroupsOf(id).length > 0 === alive, alive ? 'no cgroup' : `cgroups are left: ${cgroupsOf(id)}`)
  if (!alive) {
    expect(!['running', 'paused'].includes(state.Status), 'it has no pid')
    return problems
  }
  const facts = processFacts(state.Pid)
  expect(facts !== undefined && facts.state !== 'Z', `process ${state.Pid} does not live`)
  expect(facts?.parentCommand.endsWith(` monitor ${run}`) ?? false, `its parent is ${facts?.parentCommand}`)
  const groups = readFileSync(`/proc/${state.Pid}/cgroup`, 'utf8')
  expect(groups.includes(id), 'its process is in no cgroup of it')
  expect(isFrozen(id) === state.Paused, `frozen is ${isFrozen(id)}`)
  const limit = memoryLimit(id)
  if (limit !== undefined) expect(limit === container.HostConfig.Memory, `the kernel's memory limit is ${limit}`)
  if (owned) problems.push(...addressProblems(container, namespace))
  for (const exec of container.ExecIDs ?? []) {
    const { Running, Pid } = await get<{ Running: boolean; Pid: number }>(socket, `/exec/${exec}/json`)
    expect(!Running || processFacts(Pid) !== undefined, `exec ${exec} does not run`)
  }
  return problems
}

function isFrozen(id: string): boolean {
  return cgroupsOf(id).some((path) =>
    ['freezer.state', 'cgroup.freeze'].some((file) => {
      const place = `${path}/${file}`
      return existsSync(place) && /FROZEN|^1/.test(readFileSync(place, 'utf8'))
    }),
  )
}

/** 0 for none, as the API has it. */
function memoryLimit(id: string): number | undefined {
  for (const path of cgroupsOf(id)) {
    for (const file of ['memory.limit_in_bytes', 'memory.max']) {
      if (!existsSync(`${path}/${file}`)) continue
      const text = readFileSync(`${path}/${file}`, 'utf8').trim()
      return text === 'max' || Number(text) > 2 ** 60 ? 0 : Number(text)
    }
  }
  return undefined
}

function addressProblems({ Name, State, NetworkSettings }: ContainerView, namespace: string): string[] {
  if (!existsSync(namespace)) return []
  const problems: string[] = []
  if (statSync(namespace).ino !== statSync(`/proc/${State.Pid}/ns/net`).ino) problems.push(`${Name}: another namespace`)
  const text = execFileSync('nsenter', [`--net=${namespace}`, 'ip', '-j', 'addr', 'show'], { encoding: 'utf8' })
  const interfaces = (JSON.parse(text) as { ifname: string; address: string; addr_info: { local: string }[] }[]).filter(
    ({ ifname }) => ifname !== 'lo',
  )
  const endpoints = Object.entries(NetworkSettings.Networks).filter(([name]) => name !== 'none')
  if (interfaces.length !== endpoints.length) {
    problems.push(`${Name}: ${interfaces.length} interfaces for networks ${endpoints.map(([name]) => name)}`)
  }
  for (const [network, { IPAddress, MacAddress }] of endpoints) {
    const has = interfaces.some(
      ({ address, addr_info }) => address === MacAddress && addr_info.some(({ local }) => local === IPAddress),
    )
    if (!has) problems.push(`${Name}: ${IPAddress} ${MacAddress} of ${network} is on no interface`)
  }
  return problems
}

/** Host objects that no container of the API accounts for. */
function strangers({ directory }: Subject, containers: readonly ContainerView[]): string[] {
  const ids = new Set(containers.map(({ Id }) => Id))
  const runs = new Set(containers.filter(({ State }) => State.Pid > 0).map(({ Id }) => runName(Id)))
  const execs = new Set(containers.flatMap(({ ExecIDs }) => ExecIDs ?? []).map(runName))
  const monitors = names('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      const [, kind, name] = new RegExp(` monitor ${directory}/exec/([cx])/(\\w+)`).exec(command) ?? []
      if (kind === undefined || name === undefined) return []
      return (kind === 'c' ? runs : execs).has(name) ? [] : [`monitor ${pid} of ${kind}/${name}`]
    } catch {
      return []
    }
  })
  return [
    ...monitors,
    ...names(`${directory}/data/containers`).filter((id) => !ids.has(id)),
    ...names(`${directory}/exec/netns`).filter((id) => !ids.has(id)),
    ...names(`${directory}/exec/c`).filter((name) => !runs.has(name)),
    ...names(`${directory}/exec/x`).filter((name) => !execs.has(name)),
    ...mountsBelow(directory).filter((path) => ![...ids].some((id) => path.includes(id))),
  ].map((what) => `${what} belongs to no container`)
}

async function networkProblems(subject: Subject, containers: readonly ContainerView[]): Promise<string[]> {
  const { socket, bridge } = subject
  const problems: string[] = []
  const networks = await get<{ Name: string; Driver: string; Options: Record<string, string>; Id: string }[]>(
    socket,
    '/networks',
  )
  const bridges = networks
    .filter(({ Driver }) => Driver === 'bridge')
    .map(({ Id, Options }) => Options['com.docker.network.bridge.name'] ?? `br-${Id.slice(0, 12)}`)
  const links = hostLinks()
  for (const name of bridges) {
    if (!links.some(({ ifname }) => ifname === name)) problems.push(`bridge ${name} is missing`)
  }
  for (const { ifname } of links) {
    if (ifname.startsWith(bridge) && !bridges.includes(ifname)) problems.push(`bridge ${ifname} belongs to no network`)
  }
  const ports = links.filter(({ master }) => master !== undefined && bridges.includes(master))
  const alive = containers.filter(({ State }) => State.Pid > 0)
  const endpoints = alive.flatMap(({ NetworkSettings }) =>
    Object.values(NetworkSettings.Networks).filter(({ IPAddress }) => IPAddress !== ''),
  )
  if (ports.length !== endpoints.length) problems.push(`${ports.length} links for ${endpoints.length} endpoints`)
  const told = new Set(
    alive.flatMap(({ NetworkSettings }) =>
      Object.values(NetworkSettings.Ports).flatMap((hosts) => (hosts ?? []).map(({ HostPort }) => HostPort)),
    ),
  )
  const published = publishedPorts(bridge)
  if ([...told].sort().join() !== [...published].sort().join()) {
    problems.push(`ports ${[...told]} are told, the firewall has ${[...published]}`)
  }
  return problems
}

async function volumeProblems({ socket, directory }: Subject): Promise<string[]> {
  const { Volumes } = await get<{ Volumes: { Name: string }[] | null }>(socket, '/volumes')
  const rows = (Volumes ?? []).map(({ Name }) => Name).sort()
  const found = names(`${directory}/data/volumes`)
    .filter((name) => !name.startsWith('.'))
    .sort()
  const parts = found.flatMap((name) =>
    names(`${directory}/data/volumes/${name}`)
      .filter((part) => part.startsWith('copy-up'))
      .map((part) => `${part} of volume ${name} is left`),
  )
  return rows.join() === found.join() ? parts : [...parts, `volumes ${rows} have directories ${found}`]
}
