/** `manifest annotate`: says for what platform a manifest of a local list is. */
import { defineCommand, exactly } from '../command.ts'
import { orderedPlatform } from '../format/manifest-list.ts'
import { ManifestStore, normalizeReference } from '../manifest-store.ts'
import { string, strings } from '../options/flags.ts'

export default defineCommand({
  usage: '[OPTIONS] MANIFEST_LIST MANIFEST',
  short: 'Add additional information to a local image manifest',
  args: exactly(2),
  flags: {
    arch: string('', 'Set the architecture'),
    os: string('', 'Set the operating system'),
    'os-features': strings('', 'Add features of the operating system'),
    'os-version': string('', "Set the operating system's version"),
    variant: string('', "Set the architecture's variant"),
  },
  async run({ cli, args: [target = '', image = ''], flags }) {
    const list = normalizeReference(target, 'annotate: error parsing name for manifest list')
    const reference = normalizeReference(image, 'annotate: error parsing name for manifest')
    const store = new ManifestStore(cli.configDir)
    const manifest = store.get(list, reference)
    if (manifest === undefined) throw new Error(`manifest for image ${image} does not exist in ${target}`)
    const before = orderedPlatform(manifest.Descriptor.platform)
    const variant = flags.variant || before.variant
    const version = flags['os-version'] || before['os.version']
    const platform = orderedPlatform({
      architecture: flags.arch || before.architecture,
      os: flags.os || before.os,
      'os.features': [...new Set([...(before['os.features'] ?? []), ...flags['os-features']])],
      ...(version !== undefined && { 'os.version': version }),
      ...(variant !== undefined && { variant }),
    })
    if (!platforms.has(`${platform.os}/${platform.architecture}`)) {
      throw new Error(`manifest entry for image has unsupported os/arch combination: ${flags.os}/${flags.arch}`)
    }
    store.save(list, reference, { ...manifest, Descriptor: { ...manifest.Descriptor, platform } })
  },
})

/** Those that Docker's client takes. */
const systems: Readonly<Record<string, string>> = {
  darwin: '386 amd64 arm arm64',
  dragonfly: 'amd64',
  freebsd: '386 amd64 arm',
  linux: '386 amd64 arm arm64 mips64 mips64le ppc64le riscv64 s390x',
  netbsd: '386 amd64 arm',
  openbsd: '386 amd64 arm',
  plan9: '386 amd64',
  solaris: 'amd64',
  windows: '386 amd64',
}
const platforms = new Set(
  Object.entries(systems).flatMap(([os, architectures]) => architectures.split(' ').map((arch) => `${os}/${arch}`)),
)
