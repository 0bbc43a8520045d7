/** Networks of containers, played on both engines: names and ids, links, joined namespaces. */
import { call } from '../support/daemon.ts'
import { neutral } from './neutral.ts'
import { run } from './request.ts'
import type { Scenario, Stage } from './scenario.ts'

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
    tell(body.replace(/\t[0-9a-f]{12}\b/g, '\t<short id>').split(/\r?\n/))
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
  NetworkSettings: { Networks: Record<string, Fields> }
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

const links: Scenario = {
  name: 'network: links of the default bridge',
  async play(stage) {
    const { told, send, tell, output, names } = player(stage)
    const target = run('sleep 1000', {
      Env: ['A=b'],
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Hostname: 'targeted',
    })
    await send('POST', '/containers/create?name=ltarget', target)
    const linked = { HostConfig: { Links: ['ltarget:t', 'ltarget', '/ltarget:slash'] } }
    await output('lnot', 'true', linked)
    await names()
    await send('POST', '/containers/ltarget/start')
    await output('llinked', 'cat /etc/hosts; env | sort', linked)
    const inspect = async (name: string) => {
      const { HostConfig } = (await send('GET', `/containers/${name}/json`)) as unknown as Inspected
      tell([...((HostConfig?.Links ?? []) as string[])].sort())
    }
    await inspect('llinked')
    await send('GET', '/containers/llinked/t/json')
    await names()
    await send('POST', '/containers/create?name=llinked/t', run('true'))
    for (const path of ['llinked/t', 'llinked/t', 'llinked/none', 'none/t', 'llinked', 'lnot/ltarget']) {
      await send('DELETE', `/containers/${path}?link=1`)
      await inspect('llinked')
      await names()
    }
    await send('POST', '/containers/llinked/rename?name=lrenamed')
    await inspect('lrenamed')
    await names()
    await send('POST', '/containers/ltarget/rename?name=lother')
    await inspect('lrenamed')
    await names()
    await send('DELETE', '/containers/lother?force=1')
    await send('DELETE', '/containers/lrenamed?force=1')
    await send('DELETE', '/containers/lnot?force=1')
    return told
  },
}

const joins: Scenario = {
  name: 'network: namespaces of other containers',
  async play(stage) {
    const { told, send } = player(stage)
    const kinds = { NetworkMode: 'net', IpcMode: 'ipc', PidMode: 'pid' }
    for (const ipc of ['private', 'shareable', 'none', 'host']) {
      await send('POST', '/containers/create?name=nowner', run('sleep 1000', { HostConfig: { IpcMode: ipc } }))
      for (const step of ['created', 'running', 'ended', 'gone']) {
        if (step === 'running') await send('POST', '/containers/nowner/start')
        if (step === 'ended') await send('POST', '/containers/nowner/kill')
        for (const kind of Object.keys(kinds)) {
          if (kind !== 'IpcMode' && ipc !== 'private') continue
          const HostConfig = { [kind]: 'container:nowner' }
          const name = `njoins${kind}`
          if (step === 'created') await send('POST', `/containers/create?name=${name}`, run('true', { HostConfig }))
          if (step === 'gone' && kind === 'NetworkMode') await send('DELETE', '/containers/nowner?force=1')
          await send('POST', `/containers/${name}/start`)
          await send('POST', `/containers/${name}/wait`)
        }
      }
      for (const kind of Object.keys(kinds)) await send('DELETE', `/containers/njoins${kind}?force=1`)
      await send('DELETE', '/containers/nowner?force=1')
    }
    const own = { HostConfig: { NetworkMode: 'container:nself', IpcMode: '', PidMode: '' } }
    await send('POST', '/containers/create?name=nself', run('true', own))
    await send('POST', '/containers/nself/start')
    await send('DELETE', '/containers/nself')
    for (const more of [
      { Hostname: 'h' },
      { ExposedPorts: { '80/tcp': {} } },
      { HostConfig: { PortBindings: { '80/tcp': [{}] } } },
      { HostConfig: { PublishAllPorts: true } },
      { HostConfig: { Dns: ['1.1.1.1'] } },
      { HostConfig: { ExtraHosts: ['a:1.1.1.1'] } },
      { HostConfig: { Links: ['nself'] } },
    ] as { HostConfig?: object }[]) {
      for (const NetworkMode of ['container:nself', 'host', 'none']) {
        const HostConfig = { ...more.HostConfig, NetworkMode }
        await send('POST', '/containers/create?name=nmode', run('true', { ...more, HostConfig }))
        await send('DELETE', '/containers/nmode')
      }
    }
    return told
  },
}

export const networkScenarios: readonly Scenario[] = [byId, links, joins]
