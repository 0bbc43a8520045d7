/** Mounts as a client asks for them and as a container shows them. */
import * as z from 'zod'
import { int64, stringMap, strings, uint32 } from './primitives.ts'

export const Mount = z.object({
  /** bind, volume, tmpfs, image, cluster or npipe; the engine refuses others in Docker's words. */
  Type: z.string().optional(),
  Source: z.string().optional(),
  Target: z.string().optional(),
  ReadOnly: z.boolean().optional(),
  Consistency: z.string().optional(),
  BindOptions: z
    .object({
      Propagation: z.string().optional(),
      NonRecursive: z.boolean().optional(),
      CreateMountpoint: z.boolean().optional(),
      ReadOnlyNonRecursive: z.boolean().optional(),
      ReadOnlyForceRecursive: z.boolean().optional(),
    })
    .nullish(),
  VolumeOptions: z
    .object({
      NoCopy: z.boolean().optional(),
      Labels: stringMap.nullish(),
      Subpath: z.string().optional(),
      DriverConfig: z.object({ Name: z.string().optional(), Options: stringMap.nullish() }).nullish(),
    })
    .nullish(),
  ImageOptions: z.object({ Subpath: z.string().optional() }).nullish(),
  TmpfsOptions: z
    .object({ SizeBytes: int64.optional(), Mode: uint32.optional(), Options: z.array(strings).nullish() })
    .nullish(),
  ClusterOptions: z.object({}).nullish(),
})
export type Mount = z.infer<typeof Mount>

export const MountPoint = z.object({
  Type: z.string().optional(),
  Name: z.string().optional(),
  Source: z.string(),
  Destination: z.string(),
  Driver: z.string().optional(),
  Mode: z.string(),
  RW: z.boolean(),
  Propagation: z.string(),
})
export type MountPoint = z.infer<typeof MountPoint>
