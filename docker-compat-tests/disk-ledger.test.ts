/** `system fsck` on a real daemon: its ledger is the disk's, what is planted is found and mended, nothing in use is touched. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import t from 'tap'
import { call, startDaemon } from './support/daemon.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { dockerTs, run } from './support/programs.ts'

interface Problem {
  Kind: string
  Path: string
  Owner: string
  OwnerID: string
  Repaired: boolean
}

interface Check {
  Owners: { Kind: string; Owners: number; Files: number; SizeBytes: number; DiskBytes: number }[]
  Total: { Files: number; SizeBytes: number; DiskBytes: number }
  Problems: Problem[]
}

const daemon = await startDaemon()
t.teardown(async () => {
  const left = await daemon.stop()
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
const data = `${daemon.directory}/data`
const rootfs = busyboxRootfs()
const image = await importImage(daemon.socket, rootfs, 'busybox:latest')
const cli = (...argv: string[]) => run(dockerTs, argv, { environment: { DOCKER_HOST: daemon.host } })
const check = async (method: 'GET' | 'POST' = 'GET', query = '') =>
  (await call(daemon.socket, method, `/system/fsck${query}`)).json as Check
const brief = ({ Problems }: Check) => Problems.map(({ Kind, Path, Repaired }) => `${Kind} ${Path} ${Repaired}`)
const layerName = () => readdirSync(`${data}/layers`).find((name) => name !== 'staging') ?? ''
const blobs = () => readdirSync(`${data}/content/blobs/sha256`).sort()

t.test('every file has an owner, and the sum is what the file system says', async (t) => {
  await cli('run', '-d', '--name', 'web', '-v', 'data:/data', 'busybox', 'sh', '-c', 'echo x > /data/y; sleep 1000')
  await cli('create', '--name', 'idle', 'busybox')
  const found = await check('GET', '?verify=1')
  t.same(found.Problems, [])
  const counts = Object.fromEntries(found.Owners.map(({ Kind, Owners }) => [Kind, Owners]))
  t.match(counts, { blob: 3, container: 2, layer: 1, volume: 1, 'init layer': 1 })
  // The database grows while it is used, and work ends: all the rest stands still.
  const moving = ['database', 'work under way']
  const moved = found.Owners.filter(({ Kind }) => moving.includes(Kind)).reduce((sum, own) => sum + own.DiskBytes, 0)
  const exclude = ['--exclude=dockerd.db*', '--exclude=unsynchronised']
  const du = execFileSync('du', ['-sx', '--block-size=1', ...exclude, data], { encoding: 'utf8' })
  t.equal(found.Total.DiskBytes - moved, Number(du.split('\t')[0]))
  const sum = found.Owners.reduce((total, owner) => total + owner.DiskBytes, 0)
  t.equal(found.Total.DiskBytes, sum)
  const answer = await cli('system', 'fsck', '--verify')
  t.equal(answer.status, 0, answer.stderr)
  t.match(answer.stdout, /^OWNER +COUNT +FILES +SIZE +ON DISK\n/)
  t.match(answer.stdout, /\nNo problems\.\n$/)
})

t.test('what nobody owns is told, and removed only where it can be nobody’s data', async (t) => {
  const planted = [
    `content/blobs/sha256/${'0'.repeat(64)}`,
    'content/staging/half',
    'layers/0123456789/diff/file',
    `containers/${'f'.repeat(64)}/upper/file`,
    'init-layers/ffff/file',
    'volumes/lost/_data/file',
    'notes.txt',
  ]
  for (const path of planted) {
    mkdirSync(`${data}/${path}`.replace(/\/[^/]*$/, ''), { recursive: true })
    writeFileSync(`${data}/${path}`, 'planted')
  }
  const roots = planted.map((path) => path.replace(/\/(?:diff|upper|_data)?\/?file$/, ''))
  t.same(brief(await check()).sort(), roots.map((path) => `unowned ${path} false`).sort())
  const asked = await cli('system', 'fsck')
  t.equal(asked.status, 1, 'a check changes nothing and says so')
  t.ok(planted.every((path) => existsSync(`${data}/${path}`)))
  const repaired = await check('POST')
  const kept = ['notes.txt', 'volumes/lost']
  t.same(
    repaired.Problems.filter(({ Repaired }) => !Repaired)
      .map(({ Path }) => Path)
      .sort(),
    kept,
  )
  t.same(roots.filter((path) => existsSync(`${data}/${path}`)).sort(), kept, 'a volume without a record may hold data')
  for (const path of kept) rmSync(`${data}/${path}`, { recursive: true })
  t.same(brief(await check()), [])
})

t.test('a lost layer comes back from its blob, under the container that uses it', async (t) => {
  await cli('rm', '-f', 'web')
  const name = layerName()
  rmSync(`${data}/layers/${name}`, { recursive: true })
  t.same(brief(await check()), [`missing layers/${name} false`])
  t.same(brief(await check('POST')), [`missing layers/${name} true`])
  t.same(brief(await check()), [])
  t.equal(layerName(), name)
  const started = await cli('start', 'idle')
  t.equal(started.status, 0, started.stderr)
  t.equal((await cli('wait', 'idle')).stdout, '0\n')
})

t.test('a damaged blob is found by its length, or by its digest; repaired, the image still runs', async (t) => {
  const [layer] = blobs().filter((name) => statSync(`${data}/content/blobs/sha256/${name}`).size > 100_000)
  const path = `content/blobs/sha256/${layer}`
  const size = statSync(`${data}/${path}`).size
  // Into the magic of the tar's second header, which was no such text before.
  const file = openSync(`${data}/${path}`, 'r+')
  writeSync(file, 'other', 512 + 257)
  closeSync(file)
  t.same(brief(await check()), [], 'the length is right')
  t.match((await check('GET', '?verify=1')).Problems, [{ Kind: 'damaged', Owner: 'blob', OwnerID: `sha256:${layer}` }])
  appendFileSync(`${data}/${path}`, 'x')
  t.same(brief(await check()), [`damaged ${path} false`])
  t.equal(statSync(`${data}/${path}`).size, size + 1)
  await check('POST')
  t.notOk(existsSync(`${data}/${path}`))
  t.match((await check()).Problems, [{ Kind: 'missing', Owner: 'image', OwnerID: image }], 'the image can’t be saved')
  t.equal((await cli('run', '--rm', 'busybox', 'true')).status, 0)
  await importImage(daemon.socket, rootfs, 'again:latest')
  t.same(brief(await check()), [], 'the same layer comes again, and its blob serves both')
})

t.test('docker-ts image prune: the plan is shown, and applied once', async (t) => {
  await cli('rmi', 'again')
  await importImage(daemon.socket, rootfs, 'spare:latest')
  const plan = await cli('image', 'prune', '-a', '--plan')
  t.match(plan.stdout, /^KIND +SIZE +ID\nname +spare:latest\nimage +sha256:[0-9a-f]{64}\nblob +/m)
  const id = /--apply (\w+)\n$/.exec(plan.stdout)?.[1] ?? ''
  t.match((await cli('images', '-q', 'spare')).stdout, /^[0-9a-f]{12}\n$/, 'it is only a plan')
  const applied = await cli('image', 'prune', '--apply', id)
  t.equal(applied.status, 0, applied.stderr)
  t.equal(/space: (.*)\n/.exec(applied.stdout)?.[1], /space: (.*)\n/.exec(plan.stdout)?.[1])
  t.equal((await cli('images', '-q', 'spare')).stdout, '')
  const again = await cli('image', 'prune', '--apply', id)
  t.match([again.status, again.stderr], [1, `No such prune plan: ${id}`])
  t.same(brief(await check()), [])
})

t.test('containers, volumes and images come and go while it is checked and repaired', async (t) => {
  const churn = async (name: string) => {
    for (let round = 0; round < 3; round++) {
      await cli('run', '--rm', '-v', `${name}${round}:/v`, '-v', '/anonymous', 'busybox', 'touch', '/v/x', '/y')
      await cli('volume', 'rm', `${name}${round}`)
      await importImage(daemon.socket, rootfs, `${name}:latest`)
      await cli('rmi', `${name}:latest`)
    }
  }
  let done = false
  const work = Promise.all(['a', 'b'].map(churn)).finally(() => {
    done = true
  })
  const seen: string[] = []
  for (let checks = 0; !done || checks < 3; checks++)
    seen.push(...brief(await check(checks % 2 === 0 ? 'POST' : 'GET')))
  await work
  t.same(seen, [], 'work under way is no problem')
  t.same((await check('GET', '?verify=1')).Problems, [])
})
