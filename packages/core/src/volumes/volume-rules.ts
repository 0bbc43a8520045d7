/** Rules for names and options of local volumes, in Docker's words. */
import { invalidArgument, notFound } from '../errors/engine-error.ts'

/** Marks a volume that nobody named; `docker volume prune` removes only those. */
export const anonymousLabel = 'com.docker.volume.anonymous'

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

/** Throws invalidArgument. */
export function checkVolumeName(name: string): void {
  if (name.length === 1)
    throw invalidArgument(
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    )
  if (!namePattern.test(name))
    throw invalidArgument(
      `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only ` +
        '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    )
}

/** Throws notFound: `local` is the only driver. */
export function checkVolumeDriver(name: string, driver: string): void {
  if (driver !== '' && driver !== 'local')
    throw notFound(`create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`)
}

const knownOptions = new Set(['type', 'o', 'device', 'size'])
const sizePattern = /^(\d+(\.\d+)?)( ?[kmgtp]i?b?)?$/i

/** Throws invalidArgument. No options: a plain directory. */
export function checkVolumeOptions(name: string, options: Readonly<Record<string, string>>): void {
  const fail = (problem: string) => invalidArgument(`create ${name}: ${problem}`)
  const keys = Object.keys(options)
  if (keys.length === 0) return
  const unknown = keys.find((key) => !knownOptions.has(key))
  if (unknown !== undefined) throw fail(`invalid option: ${JSON.stringify(unknown)}`)
  if (options.size !== undefined) {
    if (!sizePattern.test(options.size)) throw fail(`invalid size: '${options.size}'`)
    throw fail('quota size requested but no quota support')
  }
  for (const required of ['device', 'type']) {
    if (!options[required]) throw fail(`missing required option: "${required}"`)
  }
}
