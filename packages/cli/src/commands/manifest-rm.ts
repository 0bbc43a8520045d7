/** `manifest rm`: forgets local manifest lists; nothing is removed from a registry. */
import { atLeast, defineCommand } from '../command.ts'
import { messageOf } from '../exit-error.ts'
import { ManifestStore, normalizeReference, noSuchManifest } from '../manifest-store.ts'

export default defineCommand({
  usage: 'MANIFEST_LIST [MANIFEST_LIST...]',
  short: 'Delete one or more manifest lists from local storage',
  args: atLeast(1),
  flags: {},
  async run({ cli, args }) {
    const store = new ManifestStore(cli.configDir)
    const failures: string[] = []
    for (const text of args) {
      try {
        const list = normalizeReference(text)
        if (store.list(list) === undefined) throw noSuchManifest(list)
        store.remove(list)
      } catch (error) {
        failures.push(messageOf(error))
      }
    }
    if (failures.length > 0) throw new Error(failures.join('\n'))
  },
})
