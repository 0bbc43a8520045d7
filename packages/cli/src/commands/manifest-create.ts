/** `manifest create`: a list of manifests, kept here until it is pushed. */
import { atLeast, defineCommand } from '../command.ts'
import { fetchManifests, ManifestStore, normalizeReference } from '../manifest-store.ts'
import { bool } from '../options/flags.ts'
import { fullString } from '../options/reference.ts'

export default defineCommand({
  usage: 'MANIFEST_LIST MANIFEST [MANIFEST...]',
  short: 'Create a local manifest list for annotating and pushing to a registry',
  args: atLeast(2),
  flags: {
    amend: bool('a', 'Add to a manifest list that exists'),
    insecure: bool('', 'Allow a registry without a known certificate'),
  },
  async run({ cli, args: [target = '', ...sources], flags }) {
    const list = normalizeReference(target, 'error parsing name for manifest list')
    const store = new ManifestStore(cli.configDir)
    if (store.list(list) !== undefined && !flags.amend) {
      throw new Error('refusing to amend an existing manifest list with no --amend flag')
    }
    for (const source of sources) {
      const reference = normalizeReference(source)
      const known = store.get(list, reference)
      if (known !== undefined) continue
      const found = await fetchManifests(cli, reference, flags.insecure)
      if ('list' in found) throw new Error(`${fullString(reference)} is a manifest list`)
      store.save(list, reference, found.manifest)
    }
    cli.out(`Created manifest list ${fullString(list)}\n`)
  },
})
