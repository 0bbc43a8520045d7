/**
 * Bodies of `PUT /containers/{id}/archive`, `/images/create?fromSrc=-` and `/images/load` in every tar format and every
 * compression. Python's tarfile judges: what comes out has to be what went in. With DOCKERD_REFERENCE dockerd has to
 * answer the same.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import t from 'tap'
import { call, startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { noReference, startReference } from '../support/reference-daemon.ts'
import { sendBytes } from '../support/send-bytes.ts'
import { canonical, type Entry, withoutUserAttributes } from './entries.ts'
import { acceptedBeyondDockerd, expectedEntries, refusals } from './expectations.ts'

t.setTimeout(600_000)
const directory = mkdtempSync(join(tmpdir(), 'dts-archives-'))
const script = fileURLToPath(new URL('make_archives.py', import.meta.url))
mkdirSync(join(directory, 'in'))
execFileSync('/usr/bin/python3', [script, 'make', join(directory, 'in')])
const archives = readdirSync(join(directory, 'in'))
  .filter((file) => file.endsWith('.tar'))
  .map((file) => ({ name: file.slice(0, -'.tar'.length), bytes: readFileSync(join(directory, 'in', file)) }))

/** What each file holds, or why Python can't read it. */
const listed = (paths: readonly string[]): (Entry[] | string)[] =>
  JSON.parse(
    execFileSync('/usr/bin/python3', [script, 'list', ...paths], { encoding: 'utf8', maxBuffer: 2 ** 28 }),
  ) as (Entry[] | string)[]

const filtered = (program: string) => (input: Buffer) =>
  execFileSync(program, ['-c'], { input, maxBuffer: 2 ** 28, stdio: ['pipe', 'pipe', 'inherit'] })
const compressions: Record<string, (bytes: Buffer) => Buffer> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  bzip2: filtered('bzip2'),
  xz: filtered('xz'),
  zstd: (bytes) => zstdCompressSync(bytes),
}
const kinds = Object.keys(compressions)
/** By archive and compression. */
const bodies = new Map(
  archives.flatMap(({ name, bytes }) => kinds.map((kind) => [`${name}-${kind}`, compressions[kind]?.(bytes) ?? bytes])),
)

interface Observed {
  put: { status: number; message: string }
  entries: Entry[]
}

/** Puts each body into a directory of its own, and gets it back. */
async function observe(socket: string): Promise<Map<string, Observed>> {
  await importImage(socket, busyboxRootfs(), 'busybox:latest')
  const created = await call(socket, 'POST', '/containers/create?name=cc', { Image: 'busybox' })
  if (created.status !== 201) throw new Error(created.body)
  const here = mkdtempSync(join(directory, 'out-'))
  for (const name of bodies.keys()) mkdirSync(join(here, 'empty', name), { recursive: true })
  const empty = execFileSync('tar', ['-C', join(here, 'empty'), '-c', '.'], { maxBuffer: 2 ** 28 })
  await sendBytes(socket, 'PUT', '/containers/cc/archive?path=/', { body: empty })
  const puts: [string, Observed['put']][] = []
  let chunked = false
  for (const [name, body] of bodies) {
    // Every other one without its length, as the docker CLI sends it.
    chunked = !chunked
    const path = `/containers/cc/archive?path=${encodeURIComponent(`/${name}`)}`
    const { status, message } = await sendBytes(socket, 'PUT', path, { body, chunked })
    puts.push([name, { status, message: message.replaceAll(name, 'DIRECTORY') }])
    writeFileSync(join(here, name), (await sendBytes(socket, 'GET', path)).body)
  }
  const found = listed(puts.map(([name]) => join(here, name)))
  return new Map(
    puts.map(([name, put], index) => {
      const entries = found[index]
      if (typeof entries === 'string' || entries === undefined) throw new Error(`${name}: ${entries}`)
      return [name, { put, entries: canonical(entries, `${name}/`) }]
    }),
  )
}

const daemon = await startDaemon()
const ours = await observe(daemon.socket)

t.test('what goes in by PUT comes out by GET, whatever its format and compression', async (t) => {
  const sources = listed(archives.map(({ name }) => join(directory, 'in', `${name}.tar`)))
  for (const [index, { name }] of archives.entries()) {
    if (name in refusals) continue
    const source = sources[index]
    const expected = expectedEntries[name] ?? source
    if (expected === undefined || typeof expected === 'string') throw new Error(`${name}: ${expected}`)
    for (const kind of kinds) {
      const { put, entries } = ours.get(`${name}-${kind}`) as Observed
      t.same(put, { status: 200, message: '' }, `${name} in ${kind} is taken`)
      t.same(entries, canonical(expected), `${name} in ${kind} is whole`)
    }
  }
})

t.test('a fraction of a second arrives, though GET tells whole seconds as Docker does', async (t) => {
  for (const [name, time] of [
    ['pax-time0.25', '2017-07-14T02:40:00.25Z'],
    ['pax-time1e-06', '2017-07-14T02:40:00.000001Z'],
    ['pax-time-3.5', '1970-01-01T00:00:00Z'],
  ]) {
    const path = encodeURIComponent(`/${name}-identity/timed`)
    const { headers } = await sendBytes(daemon.socket, 'HEAD', `/containers/cc/archive?path=${path}`)
    const stat = Buffer.from(String(headers['x-docker-container-path-stat']), 'base64').toString()
    t.equal((JSON.parse(stat) as { mtime: string }).mtime, time, String(name))
  }
})

t.test('what is no archive is refused in the words of dockerd', async (t) => {
  for (const [name, message] of Object.entries(refusals)) {
    for (const kind of kinds) {
      const { put } = ours.get(`${name}-${kind}`) as Observed
      t.same(put, { status: message.startsWith('Could not find') ? 404 : 500, message }, `${name} in ${kind}`)
    }
  }
})

const imported = async (socket: string, body: Buffer) => {
  const { status, message, body: answer } = await sendBytes(socket, 'POST', '/images/create?fromSrc=-', { body })
  const id = /sha256:[0-9a-f]{64}/.exec(answer.toString())?.[0]
  if (id === undefined) return { status, message }
  const { json } = await call(socket, 'GET', `/images/${id}/json`)
  return { status, layers: (json as { RootFS: { Layers: string[] } }).RootFS.Layers }
}

t.test('import takes them all, and its layer is the plain archive', async (t) => {
  for (const { name, bytes } of archives) {
    if (name in refusals) continue
    const layer = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    // One compression each, by turns: they are undone by the code that the PUTs above went through.
    const kind = kinds[archives.findIndex((one) => one.name === name) % kinds.length] ?? ''
    const body = bodies.get(`${name}-${kind}`) as Buffer
    t.same(await imported(daemon.socket, body), { status: 200, layers: [layer] }, `${name} in ${kind}`)
  }
  for (const kind of kinds) {
    const refused = await imported(daemon.socket, bodies.get(`bad-text-${kind}`) as Buffer)
    t.same(refused, { status: 400, message: 'archive/tar: invalid tar header' }, kind)
  }
})

t.test('load takes an archive and its layers in every compression', async (t) => {
  const { bytes: layer = Buffer.alloc(0) } = archives.find(({ name }) => name === 'pax-kinds') ?? {}
  const digest = `sha256:${createHash('sha256').update(layer).digest('hex')}`
  for (const outer of kinds) {
    for (const inner of kinds) {
      const image = mkdtempSync(join(directory, 'image-'))
      const config = { architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [digest] } }
      writeFileSync(join(image, 'config.json'), JSON.stringify(config))
      writeFileSync(join(image, 'layer.tar'), compressions[inner]?.(layer) ?? layer)
      const name = `loaded:${outer}-${inner}`
      const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]
      writeFileSync(join(image, 'manifest.json'), JSON.stringify(manifest))
      const tar = execFileSync('tar', ['-C', image, '-c', 'config.json', 'layer.tar', 'manifest.json'])
      const body = compressions[outer]?.(tar) ?? tar
      const { status, body: answer } = await sendBytes(daemon.socket, 'POST', '/images/load', { body })
      t.equal(status, 200)
      t.match(answer.toString(), `Loaded image: ${name}`, name)
      const { json } = await call(daemon.socket, 'GET', `/images/${name}/json`)
      t.same((json as { RootFS: { Layers: string[] } }).RootFS.Layers, [digest], name)
    }
  }
})

const damages: Record<string, (bytes: Buffer) => Buffer> = {
  'cut off': (bytes) => bytes.subarray(0, bytes.length / 2),
  overwritten: (bytes) => {
    const copy = Buffer.from(bytes)
    copy.fill(0x55, 20, Math.floor(bytes.length / 2))
    return copy
  },
}

t.test('damaged compression is refused, never taken for the end of an archive', async (t) => {
  for (const kind of kinds.filter((kind) => kind !== 'identity')) {
    for (const [damage, spoil] of Object.entries(damages)) {
      const body = spoil(bodies.get(`pax-kinds-${kind}`) as Buffer)
      const put = await sendBytes(daemon.socket, 'PUT', '/containers/cc/archive?path=/tmp', { body })
      t.equal(put.status, 400, `PUT, ${kind} ${damage}`)
      t.match(put.message, /^archive is damaged: /)
      const got = await imported(daemon.socket, body)
      t.match(got, { status: 400, message: /^archive is damaged: / }, `import, ${kind} ${damage}`)
      const load = await sendBytes(daemon.socket, 'POST', '/images/load', { body })
      t.match(load.body.toString(), 'archive is damaged: ', `load, ${kind} ${damage}`)
    }
  }
})

t.test('dockerd answers the same', { skip: noReference }, async (t) => {
  const reference = await startReference()
  const theirs = await observe(reference.socket)
  for (const [name, { put, entries }] of theirs) {
    const archive = name.slice(0, name.lastIndexOf('-'))
    const mine = ours.get(name) as Observed
    if (archive in acceptedBeyondDockerd) {
      t.same(put, { status: 500, message: acceptedBeyondDockerd[archive] }, name)
      continue
    }
    t.same(mine.put, put, `${name}: the answer`)
    if (put.status === 200) t.same(withoutUserAttributes(mine.entries), entries, `${name}: the files`)
  }
  t.same(await reference.stop(), [])
})

t.test('nothing is left', async (t) => {
  t.same(await daemon.stop(), [])
  rmSync(directory, { recursive: true })
})
