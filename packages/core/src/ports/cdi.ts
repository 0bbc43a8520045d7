/** Devices of the Container Device Interface (https://github.com/cncf-tags/container-device-interface): vendors describe in files what a container needs. */
import type { SpecEdits } from '../spec/spec-edits.ts'

export interface CdiDevices {
  /** Where descriptions are looked for; later ones win. Empty: there are no such devices. */
  readonly directories: readonly string[]
  /**
   * What devices (`vendor.com/class=name`) ask for, in their order. Throws internal
   * `CDI device injection failed: unresolvable CDI devices x, y`, and for what this engine does not do.
   */
  resolve(names: readonly string[]): Promise<SpecEdits>
  /** Names of all devices, sorted, and what is wrong with files. */
  discover(): Promise<{ names: string[]; problems: string[] }>
}
