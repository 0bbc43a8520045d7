/** The wire shapes that the image service answers with, taken from the engine's interface. */
import type { ImageService } from '@dockerd-ts/core'

export type WireImageSummary = Awaited<ReturnType<ImageService['list']>>[number]
export type WireImageInspect = Awaited<ReturnType<ImageService['inspect']>>
export type WireDescriptor = NonNullable<WireImageSummary['Descriptor']>
export type WireManifestSummary = NonNullable<WireImageSummary['Manifests']>[number]
export type WireAttestation = Awaited<ReturnType<ImageService['attestations']>>[number]
export type WireHistoryItem = Awaited<ReturnType<ImageService['history']>>[number]
export type WireDeleteItem = Awaited<ReturnType<ImageService['remove']>>[number]
export type WirePruneResponse = Awaited<ReturnType<ImageService['prune']>>
export type WirePrunePlan = Awaited<ReturnType<ImageService['planPrune']>>
export type WireSearchItem = Awaited<ReturnType<ImageService['search']>>[number]
export type WireDistribution = Awaited<ReturnType<ImageService['distribution']>>
