/** One driver, `remote`, whose target the test makes fail or wait and whose records it reads. */
import type { LogTargets } from '../ports/log-targets.ts'

export interface FakeLogTargets extends LogTargets {
  /** Texts that were taken, each with the tag of its origin. */
  readonly taken: string[]
  /** What `open` and `send` reject with. */
  failure: string | undefined
  /** While it is not resolved, sends wait. */
  gate: Promise<void>
  openTargets: number
}

export function fakeLogTargets(): FakeLogTargets {
  const fake: FakeLogTargets = {
    taken: [],
    failure: undefined,
    gate: Promise.resolve(),
    openTargets: 0,
    drivers: ['remote'],
    check(_driver, options) {
      const unknown = Object.keys(options).find((key) => key !== 'address' && key !== 'tag')
      if (unknown !== undefined) throw new Error(`unknown log opt '${unknown}' for remote log driver`)
    },
    create(_driver, _options, { tag }) {
      fake.openTargets += 1
      const fail = () => {
        if (fake.failure !== undefined) throw new Error(fake.failure)
      }
      return {
        open: async () => fail(),
        async send(records) {
          await fake.gate
          fail()
          fake.taken.push(...records.map(({ line }) => `${tag}: ${line.toString()}`))
        },
        close() {
          fake.openTargets -= 1
        },
      }
    },
  }
  return fake
}
