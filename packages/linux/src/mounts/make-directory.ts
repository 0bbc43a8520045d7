/** Makes a directory inside a root filesystem; the kernel resolves the path there, so that no link leads out. */
import { stat } from 'node:fs/promises'
import { type HostHelper, internal } from '@dockerd-ts/core'

interface MakeDirectoryRequest {
  helper: Pick<HostHelper, 'resolveInRoot'>
  /** Mounted. */
  root: string
  /** Absolute in the container. */
  directory: string
  idMap: string | undefined
}

/** Throws internal when something else stands there or on the way. */
export async function makeDirectoryInRoot(request: MakeDirectoryRequest): Promise<'made' | 'existed'> {
  try {
    if (await isThere(request)) return 'existed'
    await open(request, 'directory')
    return 'made'
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') throw internal(`Cannot mkdir: ${request.directory} is not a directory`, error)
    throw error
  }
}

async function isThere(request: MakeDirectoryRequest): Promise<boolean> {
  try {
    if (await open(request)) return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
  throw internal(`Cannot mkdir: ${request.directory} is not a directory`)
}

/** Answers whether it is a directory. */
async function open({ helper, root, directory, idMap }: MakeDirectoryRequest, create?: 'directory'): Promise<boolean> {
  const opened = await helper.resolveInRoot({
    ...{ root, path: directory, followLast: true },
    ...(create && { create }),
    ...(create && idMap !== undefined && { idMap }),
  })
  try {
    return (await stat(opened.path)).isDirectory()
  } finally {
    await opened.release()
  }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code
