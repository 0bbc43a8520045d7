/** `manifest push`: a local list to its registry, with what it needs from other repositories there. */
import type { Cli } from '../cli.ts'
import { defineCommand, exactly } from '../command.ts'
import { manifestList } from '../format/manifest-list.ts'
import {
  ManifestStore,
  normalizeReference,
  noSuchManifest,
  pushManifest,
  type StoredManifest,
} from '../manifest-store.ts'
import { bool } from '../options/flags.ts'
import { fullName, fullString, parseReference, type Reference } from '../options/reference.ts'

export default defineCommand({
  usage: '[OPTIONS] MANIFEST_LIST',
  short: 'Push a manifest list to a repository',
  args: exactly(1),
  flags: {
    insecure: bool('', 'Allow a registry without a known certificate'),
    purge: bool('p', 'Remove the local manifest list after the push'),
  },
  async run({ cli, args, flags: { insecure, purge } }) {
    const target = normalizeReference(args[0] ?? '')
    const store = new ManifestStore(cli.configDir)
    const manifests = store.list(target)
    if (manifests === undefined) throw noSuchManifest(target)
    if (manifests.length === 0) throw new Error(`${fullString(target)} not found`)
    for (const { Ref, Descriptor } of manifests) {
      if (Descriptor.platform?.os && Descriptor.platform.architecture) continue
      throw new Error(`manifest ${Ref} must have an OS and Architecture to be pushed to a registry`)
    }
    const { mediaType, text } = manifestList(target.domain, manifests)
    for (const manifest of manifests) await pushSource(cli, manifest, { target, insecure })
    const raw = Buffer.from(text).toString('base64')
    cli.out(`${await pushManifest(cli, target, { mediaType, raw, insecure })}\n`)
    if (purge) store.remove(target)
  },
})

interface Document {
  config?: { digest: string }
  layers?: { digest: string }[]
}

/** A list can only name manifests of its own repository. */
async function pushSource(
  cli: Cli,
  { Ref, Descriptor, Raw }: StoredManifest,
  { target, insecure }: { target: Reference; insecure: boolean },
): Promise<void> {
  const source = parseReference(Ref)
  if (fullName(source) === fullName(target)) return
  const { config, layers = [] } = JSON.parse(Buffer.from(Raw, 'base64').toString()) as Document
  const digests = new Set([...layers, ...(config ? [config] : [])].map(({ digest }) => digest))
  const own = { ...target, tag: '', digest: Descriptor.digest }
  const digest = await pushManifest(cli, own, {
    mediaType: Descriptor.mediaType,
    raw: Raw,
    insecure,
    mounts: [...digests].map((Digest) => ({ From: source.path, Digest })),
  })
  cli.out(`Pushed ref ${fullString(own)} with digest: ${digest}\n`)
}
