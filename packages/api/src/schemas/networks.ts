/** Networks as a client asks for them and as the engine shows them. */
import * as z from 'zod'
import { EndpointSettings } from './endpoint-settings.ts'
import { stringMap, strings, uint64 } from './primitives.ts'

export const IPAMConfig = z.object({
  Subnet: z.string().optional(),
  IPRange: z.string().optional(),
  Gateway: z.string().optional(),
  AuxiliaryAddresses: stringMap.nullish(),
})
export type IPAMConfig = z.infer<typeof IPAMConfig>

export const IPAM = z.object({
  Driver: z.string().optional(),
  Options: stringMap.nullish(),
  Config: z.array(IPAMConfig).nullish(),
})
export type IPAM = z.infer<typeof IPAM>

export const EndpointResource = z.object({
  Name: z.string(),
  EndpointID: z.string(),
  MacAddress: z.string(),
  IPv4Address: z.string(),
  IPv6Address: z.string(),
})
export type EndpointResource = z.infer<typeof EndpointResource>

export const NetworkSummary = z.object({
  Name: z.string(),
  Id: z.string(),
  Created: z.string(),
  Scope: z.string(),
  Driver: z.string(),
  EnableIPv4: z.boolean(),
  EnableIPv6: z.boolean(),
  IPAM: IPAM,
  Internal: z.boolean(),
  Attachable: z.boolean(),
  Ingress: z.boolean(),
  ConfigFrom: z.object({ Network: z.string() }),
  ConfigOnly: z.boolean(),
  Options: stringMap.nullable(),
  Labels: stringMap.nullable(),
})
export type NetworkSummary = z.infer<typeof NetworkSummary>

export const NetworkInspect = z.object({
  ...NetworkSummary.shape,
  /** Container id → its endpoint. */
  Containers: z.record(z.string(), EndpointResource),
  Status: z
    .object({
      IPAM: z.object({
        Subnets: z.record(z.string(), z.object({ IPsInUse: uint64, DynamicIPsAvailable: uint64 })),
      }),
    })
    .optional(),
})
export type NetworkInspect = z.infer<typeof NetworkInspect>

export const NetworkCreateRequest = z.object({
  /** Before API 1.44; duplicates are always refused. */
  CheckDuplicate: z.boolean().optional(),
  Name: z.string().optional(),
  Driver: z.string().optional(),
  Scope: z.string().optional(),
  EnableIPv4: z.boolean().nullish(),
  EnableIPv6: z.boolean().nullish(),
  IPAM: IPAM.nullish(),
  Internal: z.boolean().optional(),
  Attachable: z.boolean().optional(),
  Ingress: z.boolean().optional(),
  ConfigOnly: z.boolean().optional(),
  ConfigFrom: z.object({ Network: z.string().optional() }).nullish(),
  Options: stringMap.nullish(),
  Labels: stringMap.nullish(),
})
export type NetworkCreateRequest = z.infer<typeof NetworkCreateRequest>

export const NetworkCreateResponse = z.object({ Id: z.string(), Warning: z.string() })
export type NetworkCreateResponse = z.infer<typeof NetworkCreateResponse>

export const NetworkConnectRequest = z.object({
  Container: z.string().optional(),
  EndpointConfig: EndpointSettings.nullish(),
})
export type NetworkConnectRequest = z.infer<typeof NetworkConnectRequest>

export const NetworkDisconnectRequest = z.object({ Container: z.string().optional(), Force: z.boolean().optional() })
export type NetworkDisconnectRequest = z.infer<typeof NetworkDisconnectRequest>

export const NetworkPruneResponse = z.object({ NetworksDeleted: strings.nullable() })
export type NetworkPruneResponse = z.infer<typeof NetworkPruneResponse>
