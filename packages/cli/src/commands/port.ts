/** `port`: lists where a container's ports are published. */
import type { ContainerInspect } from '../client/wire.ts'
import { between, defineCommand } from '../command.ts'
import { joinHostPort } from '../format/ports.ts'
import { cut } from '../options/flags.ts'
import { containerPath } from './shared.ts'

const MAX_PORT = 65_535n

export default defineCommand({
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  short: 'List the published ports of a container',
  aliases: ['docker container port', 'docker port'],
  args: between(1, 2),
  flags: {},
  async run({ cli, args }) {
    const [name = '', wanted] = args
    const container = await (await cli.api()).json<ContainerInspect>('GET', `${containerPath(name)}/json`)
    const ports = container.NetworkSettings.Ports ?? {}
    if (wanted === undefined) {
      const lines = Object.entries(ports).flatMap(([from, bindings]) =>
        (bindings ?? []).map((to) => ({ from, text: `${from} -> ${joinHostPort(to.HostIp, to.HostPort)}\n` })),
      )
      lines.sort((a, b) => Number.parseInt(a.from, 10) - Number.parseInt(b.from, 10) || (a.text < b.text ? -1 : 1))
      return cli.out(lines.map((line) => line.text).join(''))
    }
    const [number, protocol = 'tcp'] = cut(wanted, '/')
    if (!/^\d+$/.test(number))
      throw new Error(
        `Error: invalid port (${number}): strconv.ParseUint: parsing ${JSON.stringify(number)}: invalid syntax`,
      )
    if (BigInt(number) > MAX_PORT)
      throw new Error(
        `Error: invalid port (${number}): strconv.ParseUint: parsing ${JSON.stringify(number)}: value out of range`,
      )
    const bindings = ports[`${number}/${protocol}`]
    if (!bindings || bindings.length === 0) throw new Error(`Error: No public port '${wanted}' published for ${name}`)
    cli.out(bindings.map((to) => `${joinHostPort(to.HostIp, to.HostPort)}\n`).join(''))
  },
})
