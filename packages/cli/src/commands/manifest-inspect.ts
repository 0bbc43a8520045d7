/** `manifest inspect`: a manifest or a list, of this machine or of a registry. */
import { between, defineCommand } from '../command.ts'
import { messageOf } from '../exit-error.ts'
import { indentJson } from '../format/json-text.ts'
import { manifestList } from '../format/manifest-list.ts'
import {
  fetchManifests,
  ManifestStore,
  normalizeReference,
  noSuchManifest,
  type StoredManifest,
} from '../manifest-store.ts'
import { bool } from '../options/flags.ts'

export default defineCommand({
  usage: '[OPTIONS] [MANIFEST_LIST] MANIFEST',
  short: 'Display an image manifest, or manifest list',
  args: between(1, 2),
  flags: {
    insecure: bool('', 'Allow a registry without a known certificate'),
    verbose: bool('v', 'Show layers and platforms too'),
  },
  async run({ cli, args, flags }) {
    const reference = normalizeReference(args.at(-1) ?? '')
    const store = new ManifestStore(cli.configDir)
    const one = (manifest: StoredManifest) =>
      cli.out(flags.verbose ? pretty(manifest) : `${indentJson(documentOf(manifest), '\t')}\n`)
    const several = (list: StoredManifest[]) =>
      cli.out(flags.verbose ? pretty(list) : `${listText(reference.domain, list)}\n`)
    if (args.length === 2) {
      const manifest = store.get(normalizeReference(args[0] ?? ''), reference)
      if (manifest === undefined) throw noSuchManifest(reference)
      return one(manifest)
    }
    const local = store.list(reference)
    if (local !== undefined) return several(local)
    const found = await fetchManifests(cli, reference, flags.insecure)
    return 'list' in found ? several(found.list) : one(found.manifest)
  },
})

function listText(domain: string, list: readonly StoredManifest[]): string {
  try {
    return manifestList(domain, list).text
  } catch (error) {
    throw new Error(`failed to assemble ManifestDescriptor: ${messageOf(error)}`)
  }
}

const documentOf = ({ Raw }: StoredManifest) => Buffer.from(Raw, 'base64').toString()
const pretty = (value: unknown) => `${JSON.stringify(value, undefined, '\t')}\n`
