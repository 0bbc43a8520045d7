/** Where descriptions of CDI devices are looked for. */
import type { DaemonOptions } from './options.ts'

/** As in dockerd: the feature `cdi` switches them off, and so does an only directory without a name. */
export function cdiDirectories(options: Pick<DaemonOptions, 'features' | 'cdi-spec-dirs'>): string[] {
  if (options.features?.cdi === false) return []
  return (options['cdi-spec-dirs'] ?? ['/etc/cdi', '/var/run/cdi']).filter((directory) => directory !== '')
}
