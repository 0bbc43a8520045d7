import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { HostHelper } from '@dockerd-ts/core'
import t from 'tap'
import { createContainerFiles } from './container-files.ts'

const id = 'ab'.repeat(32)

function setUp(t: { teardown(undo: () => void): unknown }) {
  const root = mkdtempSync(join(tmpdir(), 'container-files-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const calls: string[] = []
  const helper: Pick<HostHelper, 'mount' | 'unmount' | 'removeTree'> = {
    mount: async ({ target, data }) => void calls.push(`mount ${target} ${data}`),
    unmount: async (target) => void calls.push(`unmount ${target}`),
    removeTree: async (path) => rmSync(path, { recursive: true, force: true }),
  }
  const files = createContainerFiles({ dataRoot: join(root, 'data'), execRoot: join(root, 'exec'), helper })
  return { files, calls, root }
}

t.test('a run begins in an empty private directory', async (t) => {
  const { files } = setUp(t)
  const directory = files.prepareRun(id)
  t.equal(directory, files.runDirectory(id))
  t.equal(statSync(directory).mode & 0o777, 0o700)
  writeFileSync(join(directory, 'exit.json'), '{}')
  files.prepareRun(id)
  t.notOk(existsSync(join(directory, 'exit.json')), 'what an earlier run left is gone')
  t.ok(directory.length < 100, 'a socket below it must fit into 108 bytes')
})

t.test('the spec is written for root alone, and read back', async (t) => {
  const { files } = setUp(t)
  t.equal(await files.readSpec(id), undefined)
  const directory = files.prepareRun(id)
  files.writeSpec(id, { ociVersion: '1.0.2' })
  t.equal(statSync(join(directory, 'config.json')).mode & 0o777, 0o600)
  t.same(await files.readSpec(id), { ociVersion: '1.0.2' })
  writeFileSync(join(directory, 'config.json'), '{ cut off')
  t.equal(await files.readSpec(id), undefined)
})

t.test('removals count what is gone already as done', async (t) => {
  const { files, calls } = setUp(t)
  files.createData(id)
  files.prepareRun(id)
  const process = files.prepareExec(id, { args: ['true'] })
  t.same(JSON.parse(readFileSync(process, 'utf8')), { args: ['true'] })
  t.same(files.existing(), {
    dataIds: [id],
    keptIds: [],
    runDirectories: [files.runDirectory(id)],
    execDirectories: [files.execDirectory(id)],
  })
  for (let again = 0; again < 2; again++) {
    await files.removeData(id)
    await files.removeRun(id)
    await files.removeExec(id)
  }
  t.same(files.existing(), { dataIds: [], keptIds: [], runDirectories: [], execDirectories: [] })
  t.equal(calls[0], `unmount ${files.sharedMemoryPath(id)}`, 'shared memory is unmounted before the tree is removed')
})

t.test('shared memory is a tmpfs of the size that was asked for', async (t) => {
  const { files, calls } = setUp(t)
  files.createData(id)
  const path = await files.mountSharedMemory(id, 4096)
  t.equal(path, files.sharedMemoryPath(id))
  t.same(calls, [`mount ${path} mode=1777,size=4096`])
})

t.test('the log of a removed container moves, newest files first, as far as there is room', async (t) => {
  const { files } = setUp(t)
  files.createData(id)
  const log = files.logPath(id)
  for (const [name, bytes] of Object.entries({ '': 10, '.1': 20, '.2.gz': 30 })) {
    writeFileSync(`${log}${name}`, 'x'.repeat(bytes))
  }
  t.equal(await files.keepLog(id, 40), 30)
  t.same(readdirSync(dirname(files.keptLogPath(id))).sort(), [`${id}-json.log`, `${id}-json.log.1`])
  t.equal(await files.keepLog(id, 40), 30, 'again, as after a crash')
  await files.removeData(id)
  t.equal(await files.keepLog(id, 40), 30, 'and when its data is gone')
  t.same(files.existing().keptIds, [id])
  await files.removeKept(id)
  await files.removeKept(id)
  t.same(files.existing().keptIds, [])
})
