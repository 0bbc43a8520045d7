/** Images as the engine shows them. */
import * as z from 'zod'
import { ContainerConfig, HealthConfig } from './container-config.ts'
import { DriverData } from './containers.ts'
import { OCIDescriptor, OCIPlatform } from './oci.ts'
import { int64, keySet, stringMap, strings, strSlice } from './primitives.ts'

export const ImageConfig = z.object({
  User: z.string().optional(),
  ExposedPorts: keySet.nullish(),
  Env: strings.nullish(),
  Cmd: strSlice.nullish(),
  Healthcheck: HealthConfig.nullish(),
  ArgsEscaped: z.boolean().optional(),
  Volumes: keySet.nullish(),
  WorkingDir: z.string().optional(),
  Entrypoint: strSlice.nullish(),
  OnBuild: strings.nullish(),
  Labels: stringMap.nullish(),
  StopSignal: z.string().optional(),
  Shell: strSlice.nullish(),
})
export type ImageConfig = z.infer<typeof ImageConfig>

export const ImageManifestSummary = z.object({
  ID: z.string(),
  Descriptor: OCIDescriptor,
  Available: z.boolean(),
  Size: z.object({ Content: int64, Total: int64 }),
  Kind: z.enum(['image', 'attestation', 'unknown']),
  ImageData: z.object({ Platform: OCIPlatform, Containers: strings, Size: z.object({ Unpacked: int64 }) }).optional(),
  AttestationData: z.object({ For: z.string() }).optional(),
})
export type ImageManifestSummary = z.infer<typeof ImageManifestSummary>

export const AttestationStatement = z.object({
  Descriptor: OCIDescriptor,
  PredicateType: z.string(),
  /** As it was attested; only where it is asked for. */
  Statement: z.record(z.string(), z.unknown()).nullish(),
})
export type AttestationStatement = z.infer<typeof AttestationStatement>

export const ImageSummary = z.object({
  Containers: int64,
  /** Unix seconds. */
  Created: int64,
  Id: z.string(),
  Labels: stringMap.nullable(),
  ParentId: z.string(),
  Descriptor: OCIDescriptor.optional(),
  Manifests: z.array(ImageManifestSummary).optional(),
  RepoDigests: strings,
  RepoTags: strings,
  /** Bytes; -1 when not asked for. */
  SharedSize: int64,
  Size: int64,
})
export type ImageSummary = z.infer<typeof ImageSummary>

export const ImageInspect = z.object({
  Id: z.string(),
  RepoTags: strings,
  RepoDigests: strings,
  Parent: z.string().optional(),
  Comment: z.string().optional(),
  Created: z.string().optional(),
  /** Before API 1.45: the container that the image was made from, and what was configured there. */
  Container: z.string().optional(),
  ContainerConfig: ContainerConfig.optional(),
  DockerVersion: z.string().optional(),
  Author: z.string().optional(),
  Config: ImageConfig.nullable(),
  Architecture: z.string(),
  Variant: z.string().optional(),
  Os: z.string(),
  OsVersion: z.string().optional(),
  Size: int64,
  GraphDriver: DriverData.optional(),
  RootFS: z.object({ Type: z.string(), Layers: strings.optional() }),
  Metadata: z.object({ LastTagTime: z.string() }),
  Descriptor: OCIDescriptor.optional(),
  Manifests: z.array(ImageManifestSummary).optional(),
  Identity: z.object({ Pull: z.array(z.object({ Repository: z.string() })).optional() }).optional(),
  /** Our own: what the signature policy said of each pull. */
  SignatureVerdicts: z
    .array(
      z.object({
        Reference: z.string(),
        Verdict: z.enum(['verified', 'accepted']),
        Rule: z.string(),
        SignedReference: z.string().optional(),
        Key: z.string().optional(),
        Fingerprint: z.string().optional(),
        CheckedAt: z.string(),
      }),
    )
    .optional(),
})
export type ImageInspect = z.infer<typeof ImageInspect>

export const ImageHistoryResponseItem = z.object({
  Id: z.string(),
  /** Unix seconds. */
  Created: int64,
  CreatedBy: z.string(),
  Tags: strings.nullable(),
  Size: int64,
  Comment: z.string(),
})
export type ImageHistoryResponseItem = z.infer<typeof ImageHistoryResponseItem>

export const ImageDeleteResponseItem = z.object({ Untagged: z.string().optional(), Deleted: z.string().optional() })
export type ImageDeleteResponseItem = z.infer<typeof ImageDeleteResponseItem>

export const ImagePruneResponse = z.object({
  ImagesDeleted: z.array(ImageDeleteResponseItem).nullable(),
  SpaceReclaimed: int64,
})
export type ImagePruneResponse = z.infer<typeof ImagePruneResponse>

/** Our own: what a prune would delete, or has deleted. */
export const ImagePrunePlan = z.object({
  ID: z.string(),
  Items: z.array(
    z.object({
      Kind: z.enum(['name', 'image', 'layer', 'blob']),
      /** A reference, an id, a chain id or a digest. */
      ID: z.string(),
      SizeBytes: int64,
    }),
  ),
  /** Bytes of all items; Docker's count for a prune has the layers only. */
  SpaceReclaimed: int64,
})
export type ImagePrunePlan = z.infer<typeof ImagePrunePlan>

export const BuildPruneResponse = z.object({ CachesDeleted: strings.nullable(), SpaceReclaimed: int64 })
export type BuildPruneResponse = z.infer<typeof BuildPruneResponse>

export const ImageSearchResponseItem = z.object({
  star_count: int64,
  is_official: z.boolean(),
  name: z.string(),
  is_automated: z.boolean(),
  description: z.string(),
})
export type ImageSearchResponseItem = z.infer<typeof ImageSearchResponseItem>

export const DistributionInspect = z.object({ Descriptor: OCIDescriptor, Platforms: z.array(OCIPlatform) })
export type DistributionInspect = z.infer<typeof DistributionInspect>

/** One line of a progress stream: pull, push, load, import, build. */
export const ProgressMessage = z.object({
  stream: z.string().optional(),
  status: z.string().optional(),
  id: z.string().optional(),
  progress: z.string().optional(),
  progressDetail: z
    .object({
      current: int64.optional(),
      total: int64.optional(),
      start: int64.optional(),
      hidecounts: z.boolean().optional(),
      units: z.string().optional(),
    })
    .optional(),
  aux: z.unknown().optional(),
  errorDetail: z.object({ code: int64.optional(), message: z.string() }).optional(),
  /** The older form of errorDetail.message, still sent. */
  error: z.string().optional(),
})
export type ProgressMessage = z.infer<typeof ProgressMessage>

/** Our own: a manifest or an index as a registry has it. */
export const RegistryManifest = z.object({
  /** With the platform: the index's word for it, or else the configuration's. */
  Descriptor: OCIDescriptor,
  /** The document itself, in base64. */
  Raw: z.string(),
})
export type RegistryManifest = z.infer<typeof RegistryManifest>

export const DistributionManifest = z.object({
  ...RegistryManifest.shape,
  /** Of an index: the manifests that it names. */
  Manifests: z.array(RegistryManifest).optional(),
})
export type DistributionManifest = z.infer<typeof DistributionManifest>

export const DistributionManifestPush = z.object({
  MediaType: z.string(),
  /** The document, in base64. */
  Raw: z.string(),
  /** Blobs that it needs, and the repository of the same registry that has each. */
  Mounts: z
    .array(z.object({ From: z.string(), Digest: z.string() }))
    .max(10_000)
    .nullish(),
})
export type DistributionManifestPush = z.infer<typeof DistributionManifestPush>

export const DistributionManifestPushed = z.object({ Digest: z.string() })
export type DistributionManifestPushed = z.infer<typeof DistributionManifestPushed>

export const AuthConfig = z.object({
  username: z.string().optional(),
  password: z.string().optional(),
  auth: z.string().optional(),
  email: z.string().optional(),
  serveraddress: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
})
export type AuthConfig = z.infer<typeof AuthConfig>

export const AuthResponse = z.object({ Status: z.string(), IdentityToken: z.string().optional() })
export type AuthResponse = z.infer<typeof AuthResponse>
