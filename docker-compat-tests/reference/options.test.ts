/** Every option of a container, good and bad, on our daemon and on a real dockerd: answers, inspect and effect are equal. */
import { rmSync } from 'node:fs'
import t from 'tap'
import { call } from '../support/daemon.ts'
import { noReference } from '../support/reference-daemon.ts'
import { startBoth } from './both-engines.ts'
import { neutral, neutralJson } from './neutral.ts'
import { type OptionCase, optionCases } from './option-cases.ts'

/** Some of the cases only, by a part of their names. */
const wanted = process.env.COMPARE_OPTIONS ?? ''

if (noReference) t.pass('not compared', { skip: noReference })
else await compare()

async function compare(): Promise<void> {
  t.setTimeout(1_200_000)
  const { ours, reference, stop } = await startBoth()
  for (const { socket } of [ours, reference]) await prepare(socket)
  for (const option of optionCases.filter(({ name }) => name.includes(wanted))) {
    const expected = await outcome(reference.socket, option)
    const found = await outcome(ours.socket, option)
    t.same(found, expected, option.name, { skip: option.differs ?? false })
  }
  t.same(await stop(), [], 'nothing is left')
  rmSync('/tmp/dts-options', { recursive: true, force: true })
}

/** A container whose namespaces and volumes others take part in. */
async function prepare(socket: string): Promise<void> {
  const HostConfig = { IpcMode: 'shareable', Binds: ['peer-data:/data'] }
  const body = { Image: 'busybox', Hostname: 'peer', Cmd: ['sleep', '1000'], HostConfig }
  await call(socket, 'POST', '/containers/create?name=peer', body)
  await call(socket, 'POST', '/containers/peer/start')
}

/** What each request was answered, and what the container wrote. */
async function outcome(socket: string, option: OptionCase): Promise<unknown> {
  const path = `/v1.45/containers/${option.name}`
  const ask = async (method: string, where: string, body?: unknown) => {
    const { status, json, body: text } = await call(socket, method, where, body)
    return [status, json === undefined ? neutral(text) : neutralJson(withoutRuntimeWords(json))] as const
  }
  const create = await ask('POST', `/v1.45/containers/create?name=${option.name}`, {
    Image: 'busybox',
    Cmd: ['sh', '-c', `${option.shows ?? 'true'}`],
    ...option.config,
    HostConfig: option.host,
    ...(option.networking !== undefined && { NetworkingConfig: option.networking }),
  })
  if (create[0] !== 201) return { create }
  const inspect = await ask('GET', `${path}/json`)
  const start = await ask('POST', `${path}/start`)
  const wait = start[0] === 204 ? await ask('POST', `${path}/wait`) : undefined
  const logs = await ask('GET', `${path}/logs?stdout=1&stderr=1`)
  const { HostConfig, Config, Mounts, NetworkSettings } = inspect[1] as Record<string, Record<string, unknown>>
  const { Networks } = NetworkSettings ?? {}
  await ask('DELETE', `${path}?force=1&v=1`)
  return { create, HostConfig, Config, Mounts, Networks, start, wait, logs }
}

/** crun and runc, and the parsers of JSON, word what they refuse differently. */
function withoutRuntimeWords(json: unknown): unknown {
  const message = (json as { message?: string } | null)?.message
  if (typeof message !== 'string') return json
  const own = /^(.*runc create failed: |Decoding seccomp profile failed: )/s.exec(message)?.[1]
  return own === undefined ? json : { message: `${own}<words of the runtime>` }
}
