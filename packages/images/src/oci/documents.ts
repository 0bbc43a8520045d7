/** Parses manifests, indexes and configurations that come from outside: bounded, checked, unknown keys kept out. */
import { invalidArgument } from '@dockerd-ts/core'
import * as z from 'zod'
import { isIndexType, isManifestType, isSchema1Type, mediaTypes } from './media-types.ts'

/** Of one manifest, index or configuration document, as registries bound them. */
export const documentLimitBytes = 4 * 1024 * 1024
const maxLayers = 1000

const digest = z.string().regex(/^sha256:[a-f0-9]{64}$/, 'unsupported or malformed digest')
const size = z.number().int().nonnegative()
const annotations = z.record(z.string(), z.string()).nullish()

const platform = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
  'os.version': z.string().optional(),
  'os.features': z.array(z.string()).nullish(),
})

const descriptor = z.object({
  mediaType: z.string(),
  digest,
  size,
  annotations,
  platform: platform.nullish(),
  urls: z.array(z.string()).nullish(),
  artifactType: z.string().optional(),
})
export type Descriptor = z.infer<typeof descriptor>

/** Registries and tools leave it out of OCI documents; any other number is another format. */
const schemaVersion = z.literal(2).optional()

const manifest = z.object({
  schemaVersion,
  mediaType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor).max(maxLayers),
  annotations,
})
export type Manifest = z.infer<typeof manifest>

const index = z.object({
  schemaVersion,
  mediaType: z.string().optional(),
  manifests: z.array(descriptor).max(10_000).nullable(),
  annotations,
})
export type Index = z.infer<typeof index>

const history = z.object({
  created: z.string().nullish(),
  created_by: z.string().optional(),
  author: z.string().optional(),
  comment: z.string().optional(),
  empty_layer: z.boolean().optional(),
})

const stringList = z.array(z.string()).nullish()
const emptyObjects = z.record(z.string(), z.object({})).nullish()

const flag = z.boolean().optional()

const processFields = {
  User: z.string().optional(),
  ExposedPorts: emptyObjects,
  Env: stringList,
  Entrypoint: stringList,
  Cmd: stringList,
  Volumes: emptyObjects,
  WorkingDir: z.string().optional(),
  Labels: z.record(z.string(), z.string()).nullish(),
  StopSignal: z.string().optional(),
  Shell: stringList,
  OnBuild: stringList,
  ArgsEscaped: z.boolean().optional(),
  Healthcheck: z
    .object({
      Test: stringList,
      Interval: z.number().optional(),
      Timeout: z.number().optional(),
      StartPeriod: z.number().optional(),
      StartInterval: z.number().optional(),
      Retries: z.number().optional(),
    })
    .nullish(),
}

/** Only what the engine reads is checked; the document itself is kept as it came. */
const imageConfig = z.object({
  architecture: z.string().default(''),
  variant: z.string().optional(),
  os: z.string().default(''),
  'os.version': z.string().optional(),
  'os.features': z.array(z.string()).nullish(),
  created: z.string().nullish(),
  author: z.string().optional(),
  comment: z.string().optional(),
  docker_version: z.string().optional(),
  container: z.string().optional(),
  parent: z.string().optional(),
  config: z.looseObject(processFields).nullish(),
  /** What was configured in the container that the image was made from. Only shown: what is wrong there is left out. */
  container_config: z
    .object({
      ...processFields,
      Hostname: z.string().optional(),
      Domainname: z.string().optional(),
      Image: z.string().optional(),
      AttachStdin: flag,
      AttachStdout: flag,
      AttachStderr: flag,
      Tty: flag,
      OpenStdin: flag,
      StdinOnce: flag,
    })
    .nullish()
    .catch(undefined),
  rootfs: z.object({ type: z.string(), diff_ids: z.array(digest).max(maxLayers).nullish() }),
  history: z.array(history).max(10_000).nullish(),
})
export type ImageDocument = z.infer<typeof imageConfig>

export function parseManifest(data: Buffer): Manifest {
  return parse(manifest, data, 'manifest')
}

export function parseIndex(data: Buffer): Index {
  return parse(index, data, 'index')
}

export function parseImageConfig(data: Buffer | string): ImageDocument {
  return parse(imageConfig, data, 'image configuration')
}

/** Any document against a schema: JSON, within the bound. Throws invalidArgument that names what is wrong. */
export function parse<T>(schema: z.ZodType<T>, data: Buffer | string, what: string): T {
  if (data.length > documentLimitBytes)
    throw invalidArgument(`invalid ${what}: larger than ${documentLimitBytes} bytes`)
  let document: unknown
  try {
    document = JSON.parse(data.toString())
  } catch (error) {
    throw invalidArgument(`invalid ${what}: ${(error as Error).message}`, error)
  }
  const result = schema.safeParse(document)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw invalidArgument(`invalid ${what}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`)
}

/** The document says itself what it is, or its shape does: registries' headers are not always right. */
export function mediaTypeOf(data: Buffer, declared: string): string {
  const document = parse(z.looseObject({}), data, 'manifest')
  const own = document.mediaType
  if (typeof own === 'string' && (isManifestType(own) || isIndexType(own) || isSchema1Type(own))) return own
  if (document.schemaVersion === 1) return mediaTypes.dockerSchema1
  if (isManifestType(declared) || isIndexType(declared) || isSchema1Type(declared)) return declared
  if ('manifests' in document) return mediaTypes.ociIndex
  return 'layers' in document ? mediaTypes.ociManifest : declared
}
