/** A container's end of a network: what a client may ask for, and what came of it. */
import * as z from 'zod'
import { int64, stringMap, strings } from './primitives.ts'

export const EndpointIPAMConfig = z.object({
  IPv4Address: z.string().optional(),
  IPv6Address: z.string().optional(),
  LinkLocalIPs: strings.nullish(),
})
export type EndpointIPAMConfig = z.infer<typeof EndpointIPAMConfig>

export const EndpointSettings = z.object({
  IPAMConfig: EndpointIPAMConfig.nullish(),
  Links: strings.nullish(),
  Aliases: strings.nullish(),
  DriverOpts: stringMap.nullish(),
  GwPriority: int64.optional(),
  NetworkID: z.string().optional(),
  EndpointID: z.string().optional(),
  Gateway: z.string().optional(),
  IPAddress: z.string().optional(),
  MacAddress: z.string().optional(),
  IPPrefixLen: int64.optional(),
  IPv6Gateway: z.string().optional(),
  GlobalIPv6Address: z.string().optional(),
  GlobalIPv6PrefixLen: int64.optional(),
  DNSNames: strings.nullish(),
})
export type EndpointSettings = z.infer<typeof EndpointSettings>
