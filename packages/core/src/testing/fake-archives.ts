/** Files in containers in memory: what each path holds, as text; enough for the use cases of copy, export and commit. */
import { PassThrough, type Readable } from 'node:stream'
import type { ArchiveProblem, ContainerArchives, FileStat, FileView, WriteRequest } from '../ports/archives.ts'

export interface FakeArchives extends ContainerArchives {
  /** Path → what a tar of it reads as. */
  readonly files: Map<string, string>
  readonly views: FileView[]
  readonly written: (Omit<WriteRequest, 'tar'> & { text: string })[]
  /** Of the tars that were handed out, those not closed yet. */
  open(): number
}

const fileMode = 0o100644

export function fakeArchives(): FakeArchives {
  const files = new Map([['/etc/passwd', 'users']])
  const tars: Readable[] = []
  const statOf = (path: string): FileStat | ArchiveProblem => {
    const text = files.get(path)
    if (text === undefined) return 'no such file'
    return { sizeBytes: text.length, mode: fileMode, mtimeNs: '1500000000', linkTarget: '' }
  }
  const tarOf = (text: string): Readable => {
    const tar = new PassThrough()
    tar.end(text)
    tars.push(tar)
    return tar
  }
  const fake: FakeArchives = {
    files,
    views: [],
    written: [],
    open: () => tars.filter((tar) => !tar.closed).length,
    async stat(view, path) {
      fake.views.push(view)
      return statOf(path)
    },
    async read(view, path, prefix) {
      fake.views.push(view)
      const stat = statOf(path)
      return typeof stat === 'string' ? stat : { stat, tar: tarOf(`${prefix}:${files.get(path)}`) }
    },
    async write(view, { tar, ...request }) {
      fake.views.push(view)
      if (files.has(request.path)) return 'not a directory'
      const parts: Buffer[] = []
      for await (const chunk of tar) parts.push(chunk)
      fake.written.push({ ...request, text: Buffer.concat(parts).toString() })
      return undefined
    },
    pack: (directory, { asLayer }) => tarOf(`${asLayer ? 'layer' : 'tree'} of ${directory}`),
  }
  return fake
}
