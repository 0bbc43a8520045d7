/**
 * Creates and starts a container of an engine over fakes, and gathers what became of the request: what the runtime, the
 * monitor and the networks were asked for, and what clients are shown.
 */

import { parseJsonBody, schemas } from '@dockerd-ts/api'
import { type CgroupFacts, isEngineError } from '@dockerd-ts/core'
import {
  type FakeProcess,
  fakeHostDescription,
  fakeHostState,
  settled,
  type TestEngine,
  testEngine,
} from '@dockerd-ts/core/testing'
import { errorReply } from '../../http/error-reply.ts'

/** Places in it are named by keys joined by dots; a number is an index, and a key in brackets may contain dots. */
export interface Observation {
  refused?: { status: number; text: string }
  warnings?: readonly string[]
  /** `GET /containers/x/json` while it runs. */
  inspect?: unknown
  /** The runtime's config.json. */
  spec?: unknown
  /** What the monitor was told. */
  monitor?: unknown
  /** What the networks were asked for. */
  network?: unknown
  /** What /etc/hosts, /etc/hostname and /etc/resolv.conf are made from. */
  names?: unknown
  volumes?: unknown
  /** Calls to the volumes. */
  volumeCalls?: readonly string[]
  /** Directories that were made on the host. */
  made?: readonly string[]
  /** Signals of a stop that the process does not obey, and how long the engine was patient. */
  stop?: { signals: readonly number[]; patienceMs: number }
  /** Status after another run that ended by itself with exit code 1; `gone` when the first one's end removed the container. */
  ended?: string
  /** When the health check looks first, how long it waits then, and how many failures make the container unhealthy. */
  health?: { firstAfterMs: number; timeoutMs: number; failures?: number }
}

const id = 'a container’s id'

export async function observe(request: object, on: Partial<CgroupFacts>): Promise<Observation> {
  const test = await preparedEngine(on)
  const observation: Observation = {}
  try {
    const body = parseJsonBody(schemas.ContainerCreateRequest, JSON.stringify(request))
    const { Id, Warnings } = await test.engine.containers.create({ body, name: 'web' })
    observation.warnings = Warnings
    const before = [...test.state.paths.keys()]
    const delaysBefore = test.clock.delaysMs.length
    await test.engine.containers.start(Id, {})
    await settled()
    const firstAfterMs = test.clock.delaysMs[delaysBefore]
    Object.assign(observation, await running(test, Id))
    observation.made = [...test.state.paths.keys()].filter((path) => !before.includes(path))
    if (firstAfterMs !== undefined) observation.health = await probed(test, Id, firstAfterMs)
    observation.stop = await stopped(test, Id)
    observation.ended = await ended(test, Id)
    return neutral(observation, Id)
  } catch (error) {
    const { status, message, unexpected } = errorReply(error)
    if (unexpected) throw error
    return { refused: { status, text: message } }
  }
}

/** A running container `peer`, a user's network `net`, and paths on the host. */
async function preparedEngine(on: Partial<CgroupFacts>): Promise<TestEngine> {
  const usual = fakeHostDescription(fakeHostState())
  const test = testEngine(
    {},
    {
      cgroup: { ...usual.cgroup, ...on },
      capabilities: [...usual.capabilities, 'CAP_NET_ADMIN', 'CAP_SYS_TIME'],
      initPath: '/usr/bin/docker-init',
      apparmorAvailable: true,
      apparmorDefaultProfile: 'docker-default',
    },
  )
  for (const path of ['/etc', '/srv']) test.state.paths.set(path, 'directory')
  await test.networks.createNetwork({
    name: 'net',
    driver: 'bridge',
    internal: false,
    attachable: false,
    ingress: false,
    enableIPv4: true,
    enableIPv6: true,
    ipam: {
      driver: 'default',
      options: {},
      config: [
        { subnet: '172.20.0.0/16', gateway: '172.20.0.1' },
        { subnet: 'fd00::/64', gateway: 'fd00::1' },
      ],
    },
    options: {},
    labels: {},
  })
  const body = { HostConfig: { Binds: ['shared:/shared'], IpcMode: 'shareable' }, Env: ['PEER=1'] }
  await test.engine.containers.start(await test.create(body, 'peer'), {})
  return test
}

async function running(test: TestEngine, containerId: string): Promise<Partial<Observation>> {
  const { state, networks, volumes } = test
  const { directory } = test.process().plan
  return {
    inspect: await test.engine.containers.inspect(containerId, { size: false }),
    spec: state.runs.get(directory),
    monitor: test.process().plan,
    network: networks.requests.find((request) => request.containerId === containerId),
    names: state.nameFiles.find((request) => request.directory.endsWith(containerId)),
    volumes: volumes.list(),
    volumeCalls: volumes.calls.filter((call) => call.includes(containerId)),
  }
}

const mostFailures = 10

async function probed(
  test: TestEngine,
  containerId: string,
  firstAfterMs: number,
): Promise<NonNullable<Observation['health']>> {
  const { clock, monitors } = test
  let timeoutMs = 0
  for (let failures = 1; failures <= mostFailures; failures++) {
    const known = monitors.started.length
    // The last delay is the one until the next probe.
    await clock.advance(clock.delaysMs.at(-1) ?? 0)
    const probe = monitors.started[known]
    if (probe === undefined) throw new Error('no probe was started')
    if (failures === 1) timeoutMs = clock.delaysMs.at(-1) ?? 0
    probe.exit(1)
    await settled()
    const { State: state } = await test.engine.containers.inspect(containerId, { size: false })
    if (state.Health?.Status === 'unhealthy') return { firstAfterMs, timeoutMs, failures }
  }
  return { firstAfterMs, timeoutMs }
}

const longestPatienceMs = 100_000

const processOf = ({ monitors }: TestEngine): FakeProcess => {
  const process = monitors.started.findLast(({ plan }) => plan.process.kind === 'container')
  if (process === undefined) throw new Error('nothing was started')
  return process
}

async function stopped(test: TestEngine, containerId: string): Promise<NonNullable<Observation['stop']>> {
  const process = processOf(test)
  process.fatalSignals = new Set([9])
  let done = false
  const stop = test.engine.containers.stop(containerId, {}).then(() => {
    done = true
  })
  let patienceMs = 0
  await settled()
  for (; !done && patienceMs < longestPatienceMs; patienceMs += 1000) await test.clock.advance(1000)
  await stop
  return { signals: process.signals, patienceMs }
}

async function ended(test: TestEngine, containerId: string): Promise<string> {
  try {
    await test.engine.containers.start(containerId, {})
    processOf(test).exit(1)
    await settled()
    return (await test.engine.containers.inspect(containerId, { size: false })).State.Status
  } catch (error) {
    if (isEngineError(error, 'notFound')) return 'gone'
    throw error
  }
}

/** Ids are others each time, in full and short. */
const neutral = (observation: Observation, containerId: string): Observation =>
  JSON.parse(
    JSON.stringify(observation)
      .replaceAll(containerId, id)
      .replaceAll(containerId.slice(0, 12), 'short id')
      .replace(/\b[0-9a-f]{64}\b/g, 'an id')
      .replace(/\b[0-9a-f]{12}\b/g, 'short id')
      .replace(/\/proc\/\d+\//g, '/proc/pid/')
      .replace(/"(Created|StartedAt|createdAtNs)":"[^"]*"/g, '"$1":"then"')
      .replace(/"Pid":\d+/g, '"Pid":1'),
  )

/** `spec.linux.resources`; undefined: there is nothing. */
export function placeIn(observation: Observation, place: string): unknown {
  let at: unknown = observation
  for (const [, plain, bracketed] of place.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    if (typeof at !== 'object' || at === null) return undefined
    at = (at as Record<string, unknown>)[plain ?? bracketed ?? '']
  }
  return at
}
