/** What takes several connections or looks at a stream while it goes: played on both engines, the outcomes are compared. */
import { request } from 'node:http'
import { call } from '../support/daemon.ts'
import { nextEvent } from '../support/events.ts'
import { WebSocketClient } from '../support/websocket-client.ts'
import { networkScenarios } from './network-scenarios.ts'
import { neutral, neutralJson } from './neutral.ts'
import { run } from './request.ts'
import type { Scenario, Stage } from './scenario.ts'

const post = ({ socket, api }: Stage, path: string, body?: unknown) => call(socket, 'POST', `${api}${path}`, body)
const del = ({ socket, api }: Stage, path: string) => call(socket, 'DELETE', `${api}${path}`)
const get = ({ socket, api }: Stage, path: string) => call(socket, 'GET', `${api}${path}`)

async function create(stage: Stage, name: string, script: string, more: object = {}): Promise<void> {
  const body = run(script, { HostConfig: { NetworkMode: 'none' }, ...more })
  const { status, body: text } = await post(stage, `/containers/create?name=${name}`, body)
  if (status !== 201) throw new Error(text)
}

const answer = async (sent: ReturnType<typeof call>) => {
  const { status, body } = await sent
  return [status, neutral(body)]
}

/** Sent and its headers seen: from here on whatever happens is waited for. */
function beginWait({ socket, api }: Stage, container: string, condition: string): Promise<{ result: Promise<string> }> {
  return new Promise((resolve, reject) => {
    const path = `${api}/containers/${container}/wait?condition=${condition}`
    const sent = request({ socketPath: socket, method: 'POST', path, agent: false }, (reply) => {
      let text = `${reply.statusCode} `
      const result = new Promise<string>((done) => {
        reply.on('data', (chunk) => {
          text += chunk
        })
        reply.on('close', () => done(neutral(text)))
      })
      resolve({ result })
    })
    sent.on('error', reject)
    sent.end()
  })
}

let counter = 0

const waits: Scenario[] = ['not-running', 'next-exit', 'removed'].flatMap((condition) => [
  {
    name: `wait ${condition}: of one that ends and is removed`,
    async play(stage) {
      await create(stage, 'waited', 'read go; exit 7', { OpenStdin: true })
      await post(stage, '/containers/waited/start')
      const { result } = await beginWait(stage, 'waited', condition)
      await post(stage, '/containers/waited/kill')
      await del(stage, '/containers/waited?force=1')
      return result
    },
  },
  {
    name: `wait ${condition}: of one that is created, started, and ends`,
    async play(stage) {
      await create(stage, 'waited', 'exit 7')
      const { result } = await beginWait(stage, 'waited', condition)
      await post(stage, '/containers/waited/start')
      await answer(post(stage, '/containers/waited/wait'))
      await del(stage, '/containers/waited?force=1')
      return result
    },
  },
  {
    name: `wait ${condition}: of one that is removed before it has run`,
    async play(stage) {
      await create(stage, 'waited', 'exit 7')
      const { result } = await beginWait(stage, 'waited', condition)
      await del(stage, '/containers/waited?force=1')
      return result
    },
  },
  {
    name: `wait ${condition}: of one that removes itself`,
    async play(stage) {
      // Events of others must not be taken for its own.
      const name = `removed${++counter}`
      await create(stage, name, 'exit 7', { HostConfig: { AutoRemove: true, NetworkMode: 'none' } })
      // `not-running` is true at once of what was not started.
      const { result } = await beginWait(stage, name, condition)
      await post(stage, `/containers/${name}/start`)
      const first = await result
      await nextEvent(stage.socket, name, 'destroy')
      return first
    },
  },
  {
    name: `wait ${condition}: of one whose start fails`,
    async play(stage) {
      await create(stage, 'waited', '', { Cmd: ['/no/such'] })
      const { result } = await beginWait(stage, 'waited', condition)
      await post(stage, '/containers/waited/start')
      await del(stage, '/containers/waited?force=1')
      return result
    },
  },
])

const sockets: Scenario[] = [
  ...['1.24', '1.27', '1.28', ''].map(
    (version): Scenario => ({
      name: `attach/ws: messages of API ${version || 'as it is'}`,
      async play(stage) {
        await create(stage, 'ws', 'echo ready; cat; echo error >&2', { OpenStdin: true, StdinOnce: true })
        const api = version === '' ? stage.api : `/v${version}`
        const path = `${api}/containers/ws/attach/ws?stream=1&stdin=1&stdout=1&stderr=1`
        const client = await WebSocketClient.open(stage.socket, path)
        await post(stage, '/containers/ws/start')
        await client.received('ready')
        client.send('text', 'as text\n')
        await client.received('as text')
        client.send('binary', 'as bytes\n')
        await client.received('as bytes')
        await post(stage, '/containers/ws/kill')
        await client.closed
        await del(stage, '/containers/ws')
        const kinds = [...new Set(client.messages.map(({ type }) => type))].filter((type) => type !== 'close')
        return { status: client.status, kinds, text: client.text, refusal: client.refusal }
      },
    }),
  ),
  {
    name: 'exec: its own terminal against the one the start asks for',
    async play(stage) {
      await create(stage, 'ex', 'sleep 1000')
      await post(stage, '/containers/ex/start')
      const outcomes = []
      for (const terminal of [true, false]) {
        for (const asked of [true, false, undefined]) {
          const command = { AttachStdout: true, AttachStderr: true, Cmd: ['sh', '-c', 'echo out; echo err >&2'] }
          const { json } = await post(stage, '/containers/ex/exec', { ...command, Tty: terminal })
          const { status, body } = await post(stage, `/exec/${(json as { Id: string }).Id}/start`, { Tty: asked })
          // How a terminal's output is cut into frames, and which stream comes first, is chance.
          const types = [...new Set(body.match(/[\x01\x02](?=\0\0\0\0\0\0)/g))].sort()
          outcomes.push([terminal, asked, status, types, body.match(/out|err/g)?.sort()])
        }
      }
      await del(stage, '/containers/ex?force=1')
      return outcomes
    },
  },
  {
    name: 'attach/ws: a terminal, detached by its keys',
    async play(stage) {
      await create(stage, 'ws', 'echo ready; cat', { OpenStdin: true, Tty: true })
      await post(stage, '/containers/ws/start')
      const path = `${stage.api}/containers/ws/attach/ws?logs=1&stream=1&stdin=1&stdout=1&detachKeys=x,y`
      const client = await WebSocketClient.open(stage.socket, path)
      await client.received('ready')
      client.send('binary', 'xy')
      await client.closed
      const { json } = await get(stage, '/containers/ws/json')
      await del(stage, '/containers/ws?force=1')
      return { running: (json as { State: { Running: boolean } }).State.Running, text: client.text }
    },
  },
  {
    name: 'attach/ws: refused',
    async play(stage) {
      await create(stage, 'ws', 'sleep 1000')
      await post(stage, '/containers/ws/start')
      await post(stage, '/containers/ws/pause')
      const refusals = []
      for (const target of ['none/attach/ws?stream=1', 'ws/attach/ws?stream=1', 'ws/attach/ws?detachKeys=nonsense']) {
        const { status, refusal } = await WebSocketClient.open(stage.socket, `${stage.api}/containers/${target}`)
        refusals.push([status, neutral(refusal)])
      }
      await post(stage, '/containers/ws/unpause')
      await del(stage, '/containers/ws?force=1')
      return refusals
    },
  },
]

/** The names of all fields, with the type of each value. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > 0 ? [shape(value[0])] : []
  if (typeof value !== 'object' || value === null) return value === null ? null : typeof value
  const entries = Object.entries(value).filter(([name]) => !/^(total_|hierarchical_)?\w*(_anon|_file|_thp)/.test(name))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, shape(one)]))
}

/** The first documents of a stream. */
function documents({ socket, api }: Stage, path: string, count: number): Promise<Record<string, unknown>[]> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socket, path: `${api}${path}`, agent: false }, (reply) => {
      let text = ''
      const done = () => {
        const lines = text.split('\n').slice(0, count)
        resolve(lines.filter((line) => line !== '').map((line) => JSON.parse(line)))
        sent.destroy()
      }
      reply.on('data', (chunk) => {
        text += chunk
        if (text.split('\n').length > count) done()
      })
      reply.on('error', () => {})
      reply.on('end', done)
    })
    sent.on('error', reject)
    sent.end()
  })
}

const isZero = (time: unknown) => String(time).startsWith('0001')
const cpuTotal = (stats: Record<string, unknown>, field: string) =>
  Number((stats[field] as { cpu_usage: { total_usage: number } }).cpu_usage.total_usage)

const statistics: Scenario[] = [
  {
    name: 'stats: stream, single, one shot, paused, stopped',
    async play(stage) {
      await create(stage, 'used', 'while :; do :; done', { HostConfig: {} })
      await post(stage, '/containers/used/start')
      const outcome: unknown[] = []
      const look = async (path: string, count: number) => {
        for (const { id: _id, name: _name, ...stats } of await documents(
          stage,
          `/containers/used/stats${path}`,
          count,
        )) {
          // dockerd 26 leaves id and name out of one shots.
          const { read, preread } = stats
          const times = [isZero(read), isZero(preread), read === preread]
          outcome.push([
            path,
            times,
            cpuTotal(stats, 'precpu_stats') > 0,
            cpuTotal(stats, 'cpu_stats') > 0,
            shape(stats),
          ])
        }
      }
      await look('', 2)
      await look('?stream=0', 1)
      await look('?stream=0&one-shot=1', 1)
      await post(stage, '/containers/used/pause')
      await look('?stream=0&one-shot=1', 1)
      await post(stage, '/containers/used/unpause')
      await post(stage, '/containers/used/kill')
      await look('?stream=0', 1)
      await look('?stream=0&one-shot=1', 1)
      await del(stage, '/containers/used')
      return outcome
    },
  },
]

/**
 * `Type Action attributes` of what happens in `act`, in order. Two things have none in dockerd: `stop` stands before or
 * after `die` as it happens, and an image's events among those of containers.
 */
async function happened(stage: Stage, act: () => Promise<unknown>): Promise<string[]> {
  const all = async () => {
    const { body } = await get(stage, '/events?since=0&until=0')
    return body.split('\n').filter((line) => line !== '')
  }
  const before = (await all()).at(-1)
  await act()
  const lines = await all()
  const told = lines.slice(before === undefined ? 0 : lines.lastIndexOf(before) + 1).map((line) => {
    const { Type, Action, Actor } = JSON.parse(line) as {
      Type: string
      Action: string
      Actor: { ID: string; Attributes: Record<string, string> }
    }
    return neutral(`${Type} ${Action} ${Actor.ID} ${JSON.stringify(neutralJson(Actor.Attributes))}`)
  })
  const isImage = (line: string) => line.startsWith('image ')
  return [...stopLast(told.filter((line) => !isImage(line))), ...told.filter(isImage)]
}

/** `stop` stands right after the `die` that follows it. */
function stopLast(lines: readonly string[]): string[] {
  const ordered = [...lines]
  for (let at = 1; at < ordered.length; at++) {
    const [first = '', second = ''] = [ordered[at - 1], ordered[at]]
    if (/^container stop /.test(first) && /^container die /.test(second)) ordered.splice(at - 1, 2, second, first)
  }
  return ordered
}

const events: Scenario[] = [
  {
    name: 'events: of what is asked of one container',
    play: (stage) =>
      happened(stage, async () => {
        await create(stage, 'told', 'sleep 1000', { Labels: { l: '1' }, Tty: true })
        await get(stage, '/containers/told/export')
        await call(stage.socket, 'HEAD', `${stage.api}/containers/told/archive?path=/etc/passwd`)
        await get(stage, '/containers/told/archive?path=/etc/passwd')
        await call(stage.socket, 'PUT', `${stage.api}/containers/told/archive?path=/no-such`)
        await post(stage, '/containers/told/start')
        await get(stage, '/containers/told/top')
        await get(stage, '/containers/told/changes')
        await get(stage, '/containers/told/stats?stream=0&one-shot=1')
        await post(stage, '/containers/told/resize?h=10&w=20')
        await post(stage, '/containers/told/update', { CpuShares: 512 })
        await post(stage, '/containers/told/update', { RestartPolicy: { Name: 'no' } })
        await post(stage, '/containers/told/pause')
        await post(stage, '/containers/told/unpause')
        await post(stage, '/containers/told/kill?signal=WINCH')
        await post(stage, '/commit?container=told&repo=committed&tag=1&comment=why')
        await post(stage, '/commit?container=told&pause=0')
        await post(stage, '/containers/told/rename?name=renamed')
        await post(stage, '/containers/renamed/restart?t=0')
        await post(stage, '/containers/renamed/stop?t=0')
        await del(stage, '/containers/renamed')
      }),
  },
  {
    name: 'events: of a life with network and volume: kill, stop, restart, removal by force, a start that fails',
    play: (stage) =>
      happened(stage, async () => {
        const HostConfig = { NetworkMode: 'bridge', Binds: ['told:/v'] }
        await create(stage, 'told', 'sleep 1000', { HostConfig })
        const step = (path: string) => post(stage, `/containers/told${path}`)
        for (const path of ['/start', '/kill', '/start', '/restart?t=0', '/stop?t=0', '/start']) await step(path)
        await del(stage, '/containers/told?force=1&v=1')
        await create(stage, 'told', '', { Cmd: ['/no/such'], HostConfig })
        await step('/start')
        await del(stage, '/containers/told')
        await del(stage, '/volumes/told')
      }),
  },
  {
    name: 'events: of one that is restarted by its policy',
    play: (stage) =>
      happened(stage, async () => {
        const HostConfig = { NetworkMode: 'bridge', RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 } }
        await create(stage, 'again', 'exit 3', { HostConfig })
        await post(stage, '/containers/again/start')
        for (let running = true; running; ) {
          await post(stage, '/containers/again/wait')
          const { json } = await get(stage, '/containers/again/json')
          running = (json as { State: { Running: boolean } }).State.Running
        }
        await del(stage, '/containers/again?force=1')
      }),
  },
  {
    name: 'events: of an exec',
    async play(stage) {
      await create(stage, 'told', 'sleep 1000')
      await post(stage, '/containers/told/start')
      const lines = await happened(stage, async () => {
        const { json } = await post(stage, '/containers/told/exec', { Cmd: ['sh', '-c', 'exit 4'], AttachStdout: true })
        const { Id } = json as { Id: string }
        await post(stage, `/exec/${Id}/start`, {})
        await nextEvent(stage.socket, 'told', 'exec_die')
        await post(stage, `/exec/${Id}/resize?h=1&w=1`)
        await get(stage, `/exec/${Id}/json`)
      })
      await del(stage, '/containers/told?force=1')
      return lines
    },
  },
  {
    name: 'events: of images',
    play: (stage) =>
      happened(stage, async () => {
        await post(stage, '/images/committed:1/tag?repo=again&tag=2')
        await get(stage, '/images/committed:1/get')
        await post(stage, '/images/create?fromImage=127.0.0.1:1/none&tag=1')
        await post(stage, '/images/again:2/push')
        await del(stage, '/images/again:2')
        await del(stage, '/images/committed:1')
        await post(stage, '/images/prune')
        await post(stage, '/containers/prune')
      }),
  },
  {
    name: 'events: of a reload',
    play: async (stage) => {
      const lines = await happened(stage, async () => {
        const { since } = await told(stage)
        stage.reload()
        await reloaded(stage, since)
      })
      return lines.map((line) => line.replace(/\{.*\}/, (attributes) => Object.keys(JSON.parse(attributes)).join()))
    },
  },
]

async function told(stage: Stage): Promise<{ since: number }> {
  const { body } = await get(stage, '/events?since=0&until=0')
  const last = body.trim().split('\n').at(-1) ?? '{}'
  return { since: (JSON.parse(last) as { timeNano?: number }).timeNano ?? 0 }
}

/** Resolves with the daemon's next event. */
async function reloaded(stage: Stage, sinceNs: number): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ type: ['daemon'] }))
  const since = (BigInt(sinceNs) / 1_000_000_000n).toString()
  await documents(stage, `/events?since=${since}&filters=${filters}`, 1)
}

export const scenarios: readonly Scenario[] = [...waits, ...sockets, ...statistics, ...events, ...networkScenarios]
