/**
 * docker cp both ways, export and commit: 200 MB of mixed files in some 5,000 of them, and one large file. What a run made
 * stays until all of them are done, in some 1.2 GB each: ext4 looks at every inode that was lately deleted before it
 * makes a new one, so that a run after a removal would measure the removal.
 */
import { request } from 'node:http'
import { type Item, tar } from '../../packages/images/src/testing/test-images.ts'
import { type Client, now } from './client.ts'
import { higher, type Metric } from './metric.ts'

const LARGE_BYTES = 256 * 2 ** 20

/** 4,000 files of 4 KiB, 1,000 of 64 KiB, 120 of 1 MiB: with noise, so that no file system makes less of it. */
function mixedFiles(): { archive: Buffer; bytes: number } {
  const noise = Buffer.from(Array.from({ length: 2 ** 20 }, (_, index) => (index * 2654435761) >>> 23))
  const items: Item[] = []
  let bytes = 0
  for (const [count, sizeBytes] of [
    [4000, 4096],
    [1000, 65_536],
    [120, 2 ** 20],
  ] as const) {
    for (let index = 0; index < count; index += 1) {
      const directory = `tree/${sizeBytes}-${index % 50}`
      if (index < 50) items.push({ name: directory, type: 'directory' })
      items.push({ name: `${directory}/${index}`, type: 'file', data: noise.subarray(0, sizeBytes) })
      bytes += sizeBytes
    }
  }
  return { archive: tar({ name: 'tree', type: 'directory' }, ...items), bytes }
}

const makeInput = () => ({
  mixed: mixedFiles(),
  large: tar({ name: 'large', type: 'file', data: Buffer.alloc(LARGE_BYTES, 'noise') }),
})
let input: ReturnType<typeof makeInput> | undefined

/** Sends and receives without looking at it; answers the bytes received. */
function transfer(client: Client, method: string, path: string, body?: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': body?.length ?? 0, ...(body && { 'content-type': 'application/x-tar' }) }
    const call = request({ socketPath: client.socketPath, method, path: `/v1.41${path}`, headers }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(bytes)
        else reject(new Error(`${method} ${path}: ${response.statusCode}`))
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}

/** MB/s of `bytes`, and a check that what came was no less. */
async function rate(bytes: number, work: () => Promise<number | undefined>): Promise<number> {
  const began = now()
  const received = await work()
  const seconds = (now() - began) / 1000
  if (received !== undefined && received < bytes) throw new Error(`${received} bytes came of ${bytes}`)
  return bytes / 1e6 / seconds
}

export const copyMetric: Metric = {
  name: 'copy',
  figures: {
    copy_in: higher('cp of 200 MB in 5,000 files into a container'),
    copy_out: higher('cp of them out of it'),
    copy_export: higher('export of it'),
    copy_large_in: higher('cp of a file of 256 MiB into it'),
    copy_large_out: higher('cp of it out'),
    copy_commit: higher('commit of all of this'),
  },
  async run(client) {
    input ??= makeInput()
    const { mixed, large } = input
    const id = await client.create({ Cmd: ['true'], HostConfig: { NetworkMode: 'none' } })
    const files = `/containers/${id}/archive?path=`
    const put = (body: Buffer) => transfer(client, 'PUT', `${files}/`, body).then(() => undefined)
    const figures = {
      copy_in: await rate(mixed.bytes, () => put(mixed.archive)),
      copy_out: await rate(mixed.bytes, () => transfer(client, 'GET', `${files}/tree`)),
      copy_export: await rate(mixed.bytes, () => transfer(client, 'GET', `/containers/${id}/export`)),
      copy_large_in: await rate(LARGE_BYTES, () => put(large)),
      copy_large_out: await rate(LARGE_BYTES, () => transfer(client, 'GET', `${files}/large`)),
      // Last: what an engine writes to the disk after its answer slows down whatever comes next.
      copy_commit: await rate(mixed.bytes + LARGE_BYTES, async () => {
        await client.call('POST', `/commit?container=${id}&repo=bench-commit&tag=${id.slice(0, 12)}`)
        return undefined
      }),
    }
    return figures
  },
  async tearDown(client) {
    const images = await client.json<{ Id: string; RepoTags: string[] | null }[]>('GET', '/images/json')
    for (const { RepoTags } of images) {
      for (const tag of RepoTags ?? []) {
        if (tag.startsWith('bench-commit:')) await client.call('DELETE', `/images/${tag}?force=1`)
      }
    }
  },
}
