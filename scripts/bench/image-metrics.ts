/** Load, save, push and cold pull of an image of five 20 MiB layers, with a real registry on loopback. */
import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { dockerRegistry } from '../../packages/images/src/testing/docker-registry.ts'
import { type Client, now } from './client.ts'
import { makeArchive, publish } from './images.ts'
import { higher, lower, type Metric, type State } from './metric.ts'

const teardowns: (() => unknown)[] = []
/** Ends the registry. */
export async function closeRegistry(): Promise<void> {
  for (const work of teardowns.splice(0)) await work()
}

let registry: Promise<{ host: string; pulled: Awaited<ReturnType<typeof publish>> }> | undefined
const PULLED = 'bench/pulled'

function openRegistry() {
  registry ??= (async () => {
    const { host } = await dockerRegistry({ teardown: (work) => teardowns.push(work) })
    return { host, pulled: await publish(host, PULLED) }
  })()
  return registry
}

/** A call with a stream either way; an error in the stream of messages is an error. Answers the bytes that came. */
function transfer(client: Client, method: string, path: string, archive?: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-length': archive?.length ?? 0,
      ...(archive && { 'content-type': 'application/x-tar' }),
      'x-registry-auth': Buffer.from('{}').toString('base64'),
    }
    const call = request({ socketPath: client.socketPath, method, path: `/v1.41${path}`, headers }, (response) => {
      const isTar = response.headers['content-type'] === 'application/x-tar'
      let bytes = 0
      let told = ''
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (!isTar) told = (told + chunk).slice(-2000)
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200 && !told.includes('errorDetail')) resolve(bytes)
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${told}`))
      })
    })
    call.on('error', reject)
    call.end(archive)
  })
}

async function layersOf(client: Client, reference: string): Promise<string[]> {
  return (await client.json<{ RootFS: { Layers: string[] } }>('GET', `/images/${reference}/json`)).RootFS.Layers
}

const remove = (client: Client, reference: string) =>
  client.call('DELETE', `/images/${reference}?force=1`, undefined, { accept: [200, 404] })

/** Pings until `work` ends; the longest answer is what a client feels of a blocked loop. */
async function whilePinging(client: Client, work: Promise<unknown>): Promise<number> {
  let worst = 0
  let done = false
  const ended = work.finally(() => {
    done = true
  })
  while (!done) {
    const began = now()
    await client.call('GET', '/_ping')
    worst = Math.max(worst, now() - began)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await ended
  return worst
}

/** What the probe in our daemon saw since the last call; undefined for another engine. */
async function probe(state: State): Promise<{ blockedMs: number; peakMiB: number } | undefined> {
  if (state.probePath === undefined) return undefined
  return JSON.parse(await text(connect(state.probePath)))
}

const rate = (bytes: number, beganMs: number) => bytes / 1e6 / ((now() - beganMs) / 1000)

export const imageMetric: Metric = {
  name: 'image',
  runs: (runs) => Math.min(runs, 3),
  figures: {
    image_load: higher('load of an image of five 20 MiB layers'),
    image_save: higher('save of it'),
    image_push: higher('push of it to a registry on loopback'),
    image_remove: lower('its removal'),
    image_pull: higher('cold pull of five 20 MiB gzip layers'),
    image_pull_ping: lower('… longest ping meanwhile'),
    image_pull_blocked: lower('… longest block of the event loop'),
    image_peak: lower('peak memory of the daemon in all of these (RSS)', 'MiB'),
  },
  async run(client, state) {
    const { host, pulled } = await openRegistry()
    const repository = `${host}/bench/${client.label}-${process.pid}-${Math.round(now())}`
    const image = makeArchive(`${repository}:v1`)
    await probe(state)
    let began = now()
    await transfer(client, 'POST', '/images/load?quiet=1', image.archive)
    const load = rate(image.bytes, began)
    same(await layersOf(client, `${repository}:v1`), image.diffIds)
    began = now()
    const saved = await transfer(client, 'GET', `/images/${repository}:v1/get`)
    const save = rate(image.bytes, began)
    if (saved < image.bytes) throw new Error(`save gave ${saved} bytes`)
    began = now()
    await transfer(client, 'POST', `/images/${repository}/push?tag=v1`)
    const push = rate(image.bytes, began)
    began = now()
    await remove(client, `${repository}:v1`)
    const removed = now() - began
    const before = await probe(state)
    began = now()
    const pulling = transfer(client, 'POST', `/images/create?fromImage=${host}/${PULLED}&tag=v1`)
    const timed = pulling.then(() => rate(pulled.bytes, began))
    const ping = await whilePinging(client, timed)
    const after = await probe(state)
    same(await layersOf(client, `${host}/${PULLED}:v1`), pulled.diffIds)
    await remove(client, `${host}/${PULLED}:v1`)
    return {
      image_load: load,
      image_save: save,
      image_push: push,
      image_remove: removed,
      image_pull: await timed,
      image_pull_ping: ping,
      ...(after && { image_pull_blocked: after.blockedMs }),
      ...(after && before && { image_peak: Math.max(after.peakMiB, before.peakMiB) }),
    }
  },
}

function same(actual: readonly string[], expected: readonly string[]): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`layers differ: ${actual.join(' ')}`)
}
