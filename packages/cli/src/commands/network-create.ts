/** `network create`. */
import { defineCommand, exactly } from '../command.ts'
import { checkLabel, toMap } from '../options/env.ts'
import { bool, list, map, string, strings } from '../options/flags.ts'
import { ipamConfig } from '../options/ipam.ts'

export default defineCommand({
  usage: '[OPTIONS] NETWORK',
  short: 'Create a network',
  args: exactly(1),
  flags: {
    attachable: bool('', 'Let containers be connected by hand'),
    'aux-address': map('', 'Address that the driver uses itself'),
    'config-from': string('', 'Network to copy the configuration from'),
    'config-only': bool('', 'Create a network that is only a configuration'),
    driver: string('d', 'Network driver', 'bridge'),
    gateway: strings('', 'Gateway of the subnet'),
    ingress: bool('', "Create the swarm's routing mesh"),
    internal: bool('', 'Give no access to the outside'),
    'ip-range': strings('', 'Part of the subnet to take addresses from'),
    'ipam-driver': string('', 'Driver that manages addresses', 'default'),
    'ipam-opt': map('', 'Option of the address driver'),
    ipv4: bool('', 'Give out IPv4 addresses', true),
    ipv6: bool('', 'Give out IPv6 addresses'),
    label: list('', 'Set a label', checkLabel),
    opt: map('o', 'Option of the driver'),
    scope: string('', 'Scope of the network'),
    subnet: strings('', 'Subnet in CIDR form'),
  },
  async run({ cli, args, flags, given }) {
    const body = {
      Name: args[0],
      Driver: flags.driver,
      Scope: flags.scope,
      ...(given('ipv4') ? { EnableIPv4: flags.ipv4 } : {}),
      ...(given('ipv6') ? { EnableIPv6: flags.ipv6 } : {}),
      IPAM: { Driver: flags['ipam-driver'], Options: flags['ipam-opt'], Config: ipamConfig(flags) },
      Internal: flags.internal,
      Attachable: flags.attachable,
      Ingress: flags.ingress,
      ConfigOnly: flags['config-only'],
      ConfigFrom: flags['config-from'] === '' ? null : { Network: flags['config-from'] },
      Options: flags.opt,
      Labels: toMap(flags.label),
    }
    const { Id, Warning } = await (await cli.api()).json<{ Id: string; Warning?: string }>('POST', '/networks/create', {
      json: body,
    })
    if (Warning) cli.err(`WARNING: ${Warning}\n`)
    cli.out(`${Id}\n`)
  },
})
