/** Open Container Initiative types as the API carries them. */
import * as z from 'zod'
import { int64, stringMap, strings } from './primitives.ts'

export const OCIPlatform = z.object({
  architecture: z.string(),
  os: z.string(),
  'os.version': z.string().optional(),
  'os.features': strings.optional(),
  variant: z.string().optional(),
})
export type OCIPlatform = z.infer<typeof OCIPlatform>

export const OCIDescriptor = z.object({
  mediaType: z.string(),
  digest: z.string(),
  size: int64,
  urls: strings.nullish(),
  annotations: stringMap.nullish(),
  data: z.string().nullish(),
  platform: OCIPlatform.nullish(),
  artifactType: z.string().nullish(),
})
export type OCIDescriptor = z.infer<typeof OCIDescriptor>
