/** Networks of containers, played on both engines: names and ids, links, ports that come with a network, joined namespaces. */
import { call } from '../support/daemon.ts'
import { neutral } from './neutral.ts'
import { run } from './request.ts'
import type { Scenario, Stage } from './scenarios.ts'

type Fields = Record<string, unknown>

/** Sends one request after the other; what was answered is the outcome, without addresses. */
function player({ socket, api }: Stage) {
  const told: unknown[] = []
  const send = async (method: string, path: string, body?: unknown) => {
    const answer = await call(socket, method, `${api}${path}`, body)
    if (answer.status >= 400) told.push([method, neutral(path), answer.status, neutral(answer.body)])
    else told.push([method, neutral(path), answer.status])
    return (answer.json ?? {}) as Fields
  }
  const tell = (value: unknown) => {
    const text = neutral(JSON.stringify(value) ?? 'undefined').replace(/\b(?:\d{1,3}\.){3}\d{1,3}\b/g, '<address>')
    told.push(JSON.parse(text))
  }
  /** What a container that ends by itself wrote. */
  const output = async (name: string, script: string, more: object = {}) => {
    await send('POST', `/containers/create?name=${name}`, run(script, { Tty: true, ...more }))
    await send('POST', `/containers/${name}/start`)
    await send('POST', `/containers/${name}/wait`)
    const { body } = await call(socket, 'GET', `${api}/containers/${name}/logs?stdout=1`)
    tell(body.split(/\r?\n/))
  }
  const names = async () => {
    const { json } = await call(socket, 'GET', `${api}/containers/json?all=1`)
    tell((json as { Names: string[] }[]).map(({ Names }) => [...Names].sort()).sort())
  }
  return { told, send, tell, output, names }
}

interface Inspected {
  Config: Fields
  HostConfig: { NetworkMode: string; Links: unknown }
  NetworkSettings: { Networks: Record<string, Fields>; Ports: Fields }
}

const byId: Scenario = {
  name: 'network: named by its id is shown by its name',
  async play(stage) {
    const { told, send, tell } = player(stage)
    const { Id: id } = (await send('POST', '/networks/create', { Name: 'nbyid' })) as { Id: string }
    for (const [mode, key] of [
      [id, id],
      ['nbyid', id],
      [id, 'nbyid'],
    ] as const) {
      const body = run('sleep 1000', {
        HostConfig: { NetworkMode: mode },
        NetworkingConfig: { EndpointsConfig: { [key]: { Aliases: ['al'], MacAddress: '02:42:0a:00:00:77' } } },
      })
      await send('POST', '/containers/create?name=nbyid', body)
      for (const step of ['created', 'started']) {
        if (step === 'started') await send('POST', '/containers/nbyid/start')
        const { Config, HostConfig, NetworkSettings } = (await send(
          'GET',
          '/containers/nbyid/json',
        )) as unknown as Inspected
        const networks = Object.entries(NetworkSettings?.Networks ?? {})
        tell([step, HostConfig?.NetworkMode, Config?.MacAddress, networks.map(([name, one]) => [name, one.Aliases])])
      }
      await send('DELETE', '/containers/nbyid?force=1')
    }
    await send('DELETE', '/networks/nbyid')
    return told
  },
}

export const networkScenarios: readonly Scenario[] = [byId]
