/** Images by dockerode: import, save, load, tag, history, remove, prune, pull from a registry on loopback. */
import { PassThrough } from 'node:stream'
import t from 'tap'
import { seededRegistry } from '../support/registry.ts'
import { dockerode, image, leavesNothing, onReference, refusal, startWithImage, text } from '../support/sdk.ts'

const daemon = await startWithImage()
const docker = dockerode(daemon)
const registry = await seededRegistry(t)

/** The JSON lines of a progress stream. */
async function progress(
  stream: NodeJS.ReadableStream,
): Promise<{ status?: string; stream?: string; error?: string }[]> {
  return (await text(stream))
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as object)
}

t.test('list and inspect', async (t) => {
  const [summary, ...rest] = await docker.listImages()
  t.same(rest, [])
  // Counted since API 1.51; dockerd 26 is older.
  t.match(summary, {
    Id: /^sha256:[0-9a-f]{64}$/,
    RepoTags: [image],
    ParentId: '',
    Containers: onReference ? -1 : 0,
    Size: Number,
  })
  const found = await docker.getImage(image).inspect()
  t.match(found, {
    Id: summary?.Id,
    RepoTags: [image],
    Os: 'linux',
    Config: { Cmd: ['sh'] },
    RootFS: { Type: 'layers' },
  })
  t.equal(found.RootFS.Layers?.length, 1)
  t.equal((await docker.getImage(found.Id.slice(7, 19)).inspect()).Id, found.Id, 'a prefix of the id is enough')
  t.same(await refusal(docker.getImage('no/such').inspect()), [404, 'No such image: no/such:latest'])
  t.same((await docker.listImages({ filters: { reference: ['busy*'] } })).length, 1)
  t.same(await docker.listImages({ filters: { reference: ['other'] } }), [])
  t.equal((await refusal(docker.listImages({ filters: { nonsense: ['1'] } })))[0], 400)
})

t.test('history tells how it was made', async (t) => {
  const [top] = (await docker.getImage(image).history()) as { Comment: string; Tags: string[]; Size: number }[]
  t.match(top, { Tags: [image], Size: Number, Comment: /Imported from/ })
})

t.test('tag, remove a tag, remove the last one', async (t) => {
  const one = docker.getImage(image)
  await one.tag({ repo: 'other/name', tag: 'v1' })
  t.same((await one.inspect()).RepoTags.sort(), [image, 'other/name:v1'])
  t.same(await docker.getImage('other/name:v1').remove(), [{ Untagged: 'other/name:v1' }])
  t.equal((await refusal(one.tag({ repo: 'UPPER' })))[0], 400)
  t.equal((await refusal(docker.getImage('none').tag({ repo: 'x' })))[0], 404)
})

t.test('an image in use is not removed', async (t) => {
  const container = await docker.createContainer({ Image: image, Cmd: ['true'] })
  const [status, message] = await refusal(docker.getImage(image).remove())
  t.equal(status, 409)
  t.equal(
    message,
    `conflict: unable to remove repository reference "${image}" (must force) - container ${container.id.slice(0, 12)} is using its referenced image ${(await docker.getImage(image).inspect()).Id.slice(7, 19)}`,
  )
  await container.remove()
})

t.test('save, remove and load again: the same id', async (t) => {
  const { Id } = await docker.getImage(image).inspect()
  const archive = new PassThrough()
  const chunks: Buffer[] = []
  for await (const chunk of await docker.getImage(image).get()) chunks.push(chunk as Buffer)
  archive.end(Buffer.concat(chunks))
  t.match(await docker.getImage(image).remove(), [{ Untagged: image }, { Deleted: Id }])
  const loaded = await progress(await docker.loadImage(archive))
  t.match(loaded.at(-1), { stream: `Loaded image: ${image}\n` })
  t.equal((await docker.getImage(image).inspect()).Id, Id)
})

t.test('import with changes', async (t) => {
  const chunks: Buffer[] = []
  const container = await docker.createContainer({ Image: image, Cmd: ['true'] })
  await container.remove()
  const { Readable } = await import('node:stream')
  const { execFileSync } = await import('node:child_process')
  chunks.push(execFileSync('tar', ['-C', '/etc', '-cf', '-', 'hostname']))
  const lines = await progress(
    await docker.importImage(
      Readable.from(chunks) as never,
      {
        repo: 'imported',
        tag: '1',
        message: 'by hand',
        changes: ['CMD ["/x"]', 'ENV A=b'],
      } as object,
    ),
  )
  t.match(lines.at(-1)?.status, /^sha256:[0-9a-f]{64}$/)
  t.match(await docker.getImage('imported:1').inspect(), { Comment: 'by hand', Config: { Cmd: ['/x'], Env: ['A=b'] } })
  await docker.getImage('imported:1').remove()
})

t.test('pull: progress, digest, a second time, what is missing', async (t) => {
  const name = `${registry.host}/seed:1`
  const lines = await progress(await docker.pull(name))
  const statuses = lines.map(({ status }) => status)
  t.match(statuses[0], 'Pulling from seed')
  for (const wanted of ['Pulling fs layer', 'Download complete', 'Pull complete'])
    t.ok(statuses.includes(wanted), wanted)
  t.match(statuses.at(-2), /^Digest: sha256:[0-9a-f]{64}$/)
  t.equal(statuses.at(-1), `Status: Downloaded newer image for ${name}`)
  t.match((await docker.getImage(name).inspect()).RepoDigests, [/@sha256:[0-9a-f]{64}$/])
  const again = await progress(await docker.pull(name))
  t.equal(again.at(-1)?.status, `Status: Image is up to date for ${name}`)
  const [status, message] = await refusal(docker.pull(`${registry.host}/seed:none`))
  t.equal(status, 404)
  t.match(message, `manifest for ${registry.host}/seed:none not found: manifest unknown`)
  const output = new PassThrough()
  const ran = text(output)
  const [result, container] = await docker.run(name, ['echo', 'pulled'], output, { Tty: true })
  t.same([result, await ran], [{ StatusCode: 0 }, 'pulled\r\n'])
  await container.remove()
  t.match(await docker.getImage(name).distribution(), {
    Descriptor: { digest: /^sha256:/ },
    Platforms: [{ os: 'linux' }],
  })
})

t.test('prune removes what has no tag, or with dangling=false what no container uses', async (t) => {
  t.match(await docker.pruneImages(), { ImagesDeleted: null, SpaceReclaimed: 0 })
  await docker.getImage(image).tag({ repo: 'unused', tag: '1' })
  // The image may be made in this very second.
  const soon = String(Math.floor(Date.now() / 1000) + 2)
  const pruned = await docker.pruneImages({ filters: { dangling: ['false'], until: [soon] } })
  t.match(pruned, { SpaceReclaimed: Number })
  t.ok(pruned.ImagesDeleted?.some(({ Untagged }) => Untagged === 'unused:1'))
  t.same(await docker.listImages(), [])
})

leavesNothing(t, daemon)
