/** `network connect`. */
import { defineCommand, exactly } from '../command.ts'
import { cut, int, list, string, strings } from '../options/flags.ts'
import { emptyAttachment, endpointConfig } from '../options/networks.ts'
import { checkLink } from '../options/validators.ts'
import { part } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS] NETWORK CONTAINER',
  short: 'Connect a container to a network',
  args: exactly(2),
  flags: {
    alias: strings('', 'Another name on the network'),
    'driver-opt': strings('', 'Option of the network driver'),
    'gw-priority': int('', 'The network with the highest priority provides the default gateway'),
    ip: string('', 'IPv4 address'),
    ip6: string('', 'IPv6 address'),
    link: list('', 'Link to another container', checkLink),
    'link-local-ip': strings('', 'Link-local address'),
  },
  async run({ cli, args, flags }) {
    const [network = '', container = ''] = args
    const driverOpts: Record<string, string> = {}
    for (const option of flags['driver-opt']) {
      const [key, value] = cut(option, '=')
      if (value === undefined || key.trim() === '') throw new Error('invalid key/value pair format in driver options')
      driverOpts[key.trim()] = value.trim()
    }
    const attachment = {
      ...emptyAttachment(network),
      aliases: flags.alias,
      driverOpts,
      gwPriority: flags['gw-priority'],
      ip: flags.ip,
      ip6: flags.ip6,
      links: flags.link,
      linkLocalIps: flags['link-local-ip'],
    }
    const config = endpointConfig(attachment)
    const body = {
      Container: container,
      EndpointConfig: { ...config, IPAMConfig: config.IPAMConfig ?? {}, DriverOpts: driverOpts, Aliases: flags.alias },
    }
    await (await cli.api()).call('POST', `/networks/${part(network)}/connect`, { json: body })
  },
})
