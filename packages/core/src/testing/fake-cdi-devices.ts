/** Two devices of one vendor: each a variable of its own, one with a node. */
import { internal } from '../errors/engine-error.ts'
import type { CdiDevices } from '../ports/cdi.ts'
import type { SpecEdits } from '../spec/spec-edits.ts'

const nothing: SpecEdits = { env: [], devices: [], mounts: [], hooks: [], additionalGids: [] }

const known: Readonly<Record<string, SpecEdits>> = {
  'vendor.com/class=plain': { ...nothing, env: ['CDI=plain'] },
  'vendor.com/class=node': {
    ...nothing,
    env: ['CDI=node'],
    devices: [{ path: '/dev/cdi', type: 'c', major: 1, minor: 5, fileMode: 0o666, access: 'rw' }],
  },
}

export const fakeCdiDevices = (): CdiDevices => ({
  directories: ['/etc/cdi'],
  resolve: async (names) => {
    const missing = names.filter((name) => known[name] === undefined)
    if (missing.length > 0) {
      throw internal(`CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}`)
    }
    const edits = names.map((name) => known[name] ?? nothing)
    return {
      ...nothing,
      env: edits.flatMap(({ env }) => env),
      devices: edits.flatMap(({ devices }) => devices),
    }
  },
  discover: async () => ({ names: Object.keys(known).sort(), problems: ['CDI: something is wrong'] }),
})
