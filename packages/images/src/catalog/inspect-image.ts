/** `GET /images/x/json` and `/history`. */
import { join } from 'node:path'
import { familiarString, type IndexRow, internal, rfc3339Nano, type SignatureVerdict, zeroTime } from '@dockerd-ts/core'
import { goTimeSeconds, normalGoTime } from '../oci/go-time.ts'
import type { WireHistoryItem, WireImageInspect } from '../wire-types.ts'
import type { ImageContext } from './image-context.ts'
import type { ImageStore, StoredImage } from './image-store.ts'
import { manifestSummaries, targetDescriptor } from './manifest-summaries.ts'

export function inspectImage(
  context: ImageContext,
  image: StoredImage,
  { index, manifests }: { index: IndexRow | undefined; manifests: boolean },
): WireImageInspect {
  const { images: store, layers } = context
  const { row, document } = image
  const references = store.namesOf(row.id)
  const created = normalGoTime(document.created)
  return {
    Id: row.id,
    RepoTags: references.filter(({ tag }) => tag !== undefined).map(familiarString),
    RepoDigests: references.filter(({ digest }) => digest !== undefined).map(familiarString),
    Parent: row.parentId ?? '',
    Comment: commentOf(image),
    ...(created !== undefined && { Created: created }),
    ...(document.container && { Container: document.container }),
    ...(document.container_config && { ContainerConfig: withoutUndefined(document.container_config) }),
    DockerVersion: document.docker_version ?? '',
    Author: document.author ?? '',
    Config: wireConfig(image),
    Architecture: document.architecture,
    ...(document.variant && { Variant: document.variant }),
    Os: document.os,
    ...(document['os.version'] && { OsVersion: document['os.version'] }),
    Size: row.sizeBytes,
    GraphDriver: { Name: 'overlay2', Data: driverData(store, layers.root, row.chainIds) },
    RootFS: { Type: document.rootfs.type, ...(row.chainIds.length > 0 && { Layers: document.rootfs.diff_ids ?? [] }) },
    ...(row.signatureVerdicts !== undefined && { SignatureVerdicts: row.signatureVerdicts.map(wireVerdict) }),
    Metadata: { LastTagTime: row.lastTaggedAtNs === undefined ? zeroTime : rfc3339Nano(row.lastTaggedAtNs) },
    Descriptor: targetDescriptor(context, image, index),
    ...(manifests && { Manifests: manifestSummaries(context, image, index) }),
  }
}

const withoutUndefined = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }

/** Our own: what the signature policy said when the image was pulled. */
function wireVerdict(verdict: SignatureVerdict): NonNullable<WireImageInspect['SignatureVerdicts']>[number] {
  const { signedReference, key, fingerprint } = verdict
  return {
    Reference: verdict.reference,
    Verdict: verdict.verdict,
    Rule: verdict.rule,
    ...(signedReference !== undefined && { SignedReference: signedReference }),
    ...(key !== undefined && { Key: key }),
    ...(fingerprint !== undefined && { Fingerprint: fingerprint }),
    CheckedAt: rfc3339Nano(verdict.checkedAtNs),
  }
}

/** Its own, or that of the last step that made it. */
function commentOf({ document }: StoredImage): string {
  return document.comment || (document.history?.at(-1)?.comment ?? '')
}

/** What is set, as the newest API shows it: absent rather than empty. */
function wireConfig({ document }: StoredImage): WireImageInspect['Config'] {
  const known: (keyof NonNullable<WireImageInspect['Config']>)[] = [
    'User',
    'ExposedPorts',
    'Env',
    'Cmd',
    'Healthcheck',
    'ArgsEscaped',
    'Volumes',
    'WorkingDir',
    'Entrypoint',
    'OnBuild',
    'Labels',
    'StopSignal',
    'Shell',
  ]
  const config = document.config ?? {}
  const set = known.filter((key) => isSet(config[key])).map((key) => [key, config[key]])
  return Object.fromEntries(set) as WireImageInspect['Config']
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

/** Where the layers are, in overlay2's words; nothing here is mounted. */
function driverData(store: ImageStore, layersRoot: string, chainIds: readonly string[]): Record<string, string> {
  const directories = chainIds.flatMap((id) => store.records.getLayer(id)?.directory ?? []).reverse()
  const [upper, ...lower] = directories.map((directory) => join(layersRoot, directory))
  return {
    ...(lower.length > 0 && { LowerDir: lower.join(':') }),
    ...(upper !== undefined && { UpperDir: upper }),
  }
}

/** Newest step first; steps of images that are here as images of their own carry their ids. */
export function imageHistory(store: ImageStore, image: StoredImage): WireHistoryItem[] {
  const items: WireHistoryItem[] = []
  let layer = 0
  for (const step of image.document.history ?? []) {
    const chainId = step.empty_layer === true ? undefined : image.row.chainIds[layer++]
    if (step.empty_layer !== true && chainId === undefined) {
      throw internal('too many non-empty layers in History section')
    }
    items.unshift({
      Id: '<missing>',
      Created: goTimeSeconds(step.created),
      CreatedBy: step.created_by ?? '',
      Comment: step.comment ?? '',
      Tags: null,
      Size: chainId === undefined ? 0 : (store.records.getLayer(chainId)?.sizeBytes ?? 0),
    })
  }
  let current: StoredImage | undefined = image
  for (const item of items) {
    if (current === undefined) break
    item.Id = current.row.id
    const tags = store.referencesOf(item.Id).filter(({ tag }) => tag !== undefined)
    item.Tags = tags.length > 0 ? tags.map(familiarString) : null
    current = current.row.parentId === undefined ? undefined : store.get(current.row.parentId)
  }
  return items
}
