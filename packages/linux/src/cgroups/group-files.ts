/** Reads and writes the small files of a cgroup. */
import { readFile, writeFile } from 'node:fs/promises'

/** undefined when the group or the file is not there (a controller that is off, a group that has ended). */
export async function readGroupFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isGone(error) || (error as NodeJS.ErrnoException).code === 'EOPNOTSUPP') return undefined
    throw error
  }
}

/** ENODEV is what the kernel answers for an open file of a group that was removed meanwhile. */
export function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** Never creates: a group's files exist or the controller is off. */
export async function writeGroupFile(path: string, value: string): Promise<void> {
  await writeFile(path, value, { flag: 'r+' })
}

/** One number; undefined for `max`, for what is not there, and for empty files. */
export async function readGroupNumber(path: string): Promise<number | undefined> {
  const text = (await readGroupFile(path))?.trim()
  return text === undefined || text === '' || text === 'max' ? undefined : Number(text)
}

/** Lines of `key value`. */
export function parseKeyed(text: string | undefined): Record<string, number> {
  const values: Record<string, number> = {}
  for (const line of (text ?? '').split('\n')) {
    const separator = line.indexOf(' ')
    if (separator > 0) values[line.slice(0, separator)] = Number(line.slice(separator + 1))
  }
  return values
}
