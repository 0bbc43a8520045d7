/** Volumes as a client asks for them and as the engine shows them. */
import * as z from 'zod'
import { int64, stringMap, strings } from './primitives.ts'

export const Volume = z.object({
  CreatedAt: z.string().optional(),
  Driver: z.string(),
  Labels: stringMap.nullable(),
  Mountpoint: z.string(),
  Name: z.string(),
  Options: stringMap.nullable(),
  Scope: z.string(),
  Status: z.record(z.string(), z.unknown()).optional(),
  /** Bytes and number of containers; in the disk usage answer only, -1 is unknown. */
  UsageData: z.object({ RefCount: int64, Size: int64 }).optional(),
})
export type Volume = z.infer<typeof Volume>

export const VolumeListResponse = z.object({ Volumes: z.array(Volume), Warnings: strings.nullable() })
export type VolumeListResponse = z.infer<typeof VolumeListResponse>

export const VolumeCreateRequest = z.object({
  Name: z.string().optional(),
  Driver: z.string().optional(),
  DriverOpts: stringMap.nullish(),
  Labels: stringMap.nullish(),
  ClusterVolumeSpec: z.object({}).nullish(),
})
export type VolumeCreateRequest = z.infer<typeof VolumeCreateRequest>

export const VolumePruneResponse = z.object({ VolumesDeleted: strings.nullable(), SpaceReclaimed: int64 })
export type VolumePruneResponse = z.infer<typeof VolumePruneResponse>
