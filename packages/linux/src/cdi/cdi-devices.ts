/** CDI devices of the host, read from the files in its directories: `/etc/cdi`, `/var/run/cdi`. */
import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { type CdiDevices, internal } from '@dockerd-ts/core'
import { specEdits } from './device-nodes.ts'
import { type CdiDocument, largestSpecBytes, parseCdiDocument } from './spec-document.ts'

/** Of each directory, in the order of names; more are not read. */
const mostFiles = 256

interface SpecFile {
  path: string
  /** Of its directory: the higher one wins. */
  priority: number
  document: CdiDocument
}

interface Found {
  /** By qualified name; undefined where two files of one directory disagree. */
  devices: Map<string, { file: SpecFile; index: number } | undefined>
  problems: string[]
}

export function createCdiDevices(directories: readonly string[]): CdiDevices {
  const cache = new Map<string, { version: string; result: CdiDocument | Error }>()
  return {
    directories,
    async resolve(names) {
      if (directories.length === 0) {
        throw internal('CDI device injection failed: no CDI specification directories specified')
      }
      const { devices } = await scan(directories, cache)
      const found = names.map((name) => devices.get(name))
      const missing = names.filter((_, at) => found[at] === undefined)
      if (missing.length > 0) {
        throw internal(`CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}`)
      }
      const seen = new Set<SpecFile>()
      return specEdits(
        found.flatMap((device) => {
          if (device === undefined) return []
          const { file, index } = device
          // What a file asks for whichever of its devices is wanted is done once.
          const common = seen.has(file) ? undefined : file.document.containerEdits
          seen.add(file)
          return [...(common ? [common] : []), file.document.devices[index]?.containerEdits ?? {}]
        }),
      )
    },
    async discover() {
      const { devices, problems } = await scan(directories, cache)
      const names = [...devices].flatMap(([name, device]) => (device === undefined ? [] : [name]))
      return { names: names.sort(), problems }
    },
  }
}

type Cache = Map<string, { version: string; result: CdiDocument | Error }>

async function scan(directories: readonly string[], cache: Cache): Promise<Found> {
  const found: Found = { devices: new Map(), problems: [] }
  const present = new Set<string>()
  for (const [priority, directory] of directories.entries()) {
    for (const name of await specNames(directory)) {
      const place = path.join(directory, name)
      present.add(place)
      const document = await read(place, cache)
      if (document instanceof Error) {
        found.problems.push(problem(place, `failed to load CDI Spec ${document.message}`))
      } else addDevices(found, { path: place, priority, document })
    }
  }
  for (const place of cache.keys()) if (!present.has(place)) cache.delete(place)
  return found
}

const problem = (place: string, text: string): string => `CDI: Error associated with spec file ${place}: ${text}`

async function specNames(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  return names
    .filter((name) => /\.(?:json|yaml)$/.test(name))
    .sort()
    .slice(0, mostFiles)
}

function addDevices({ devices, problems }: Found, file: SpecFile): void {
  for (const [index, { name }] of file.document.devices.entries()) {
    const qualified = `${file.document.kind}=${name}`
    const other = devices.get(qualified)
    const isConflict = devices.has(qualified) && (other === undefined || other.file.priority === file.priority)
    if (isConflict) {
      const specs = [other?.file.path, file.path].flatMap((place) => (place === undefined ? [] : JSON.stringify(place)))
      const text = `conflicting device ${JSON.stringify(qualified)} (specs ${specs.join(', ')})`
      problems.push(problem(file.path, text))
    }
    devices.set(qualified, isConflict ? undefined : { file, index })
  }
}

/** Parsed again only when the file has changed. */
async function read(place: string, cache: Cache): Promise<CdiDocument | Error> {
  try {
    // A fifo is not waited for.
    const handle = await open(place, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const status = await handle.stat({ bigint: true })
      if (!status.isFile()) throw new Error('it is no regular file')
      const version = `${status.ino} ${status.size} ${status.mtimeNs} ${status.ctimeNs}`
      const known = cache.get(place)
      if (known?.version === version) return known.result
      const bytes = Buffer.alloc(Math.min(Number(status.size), largestSpecBytes) + 1)
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
      if (bytesRead > largestSpecBytes) throw new Error(`it is larger than ${largestSpecBytes} bytes`)
      const text = bytes.toString('utf8', 0, bytesRead)
      const result = await parseCdiDocument(text).catch((error: Error) => error)
      cache.set(place, { version, result })
      return result
    } finally {
      await handle.close()
    }
  } catch (error) {
    return error as Error
  }
}
