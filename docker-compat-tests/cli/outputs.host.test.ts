/** docker and docker-ts say the same about our daemon, command by command: Debian's docker, and the newest. */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { dockerTs } from '../support/programs.ts'
import { allCases } from './cases/index.ts'
import { outcomeOf } from './compare.ts'
import { differsBefore28 } from './older-client.ts'
import { NEWEST_TEXTS, newestClient, packagedClient } from './reference-client.ts'

const packaged = packagedClient()
const newest = newestClient()
const daemon = await startDaemon()
const rootfs = busyboxRootfs()
const image = 'busybox'
await importImage(daemon.socket, rootfs, image)
const outcome = (client: string, one: (typeof allCases)[number]) =>
  outcomeOf({ client, cleaner: packaged.path, host: daemon.host, image }, one)

for (const one of allCases) {
  const different = packaged.major < NEWEST_TEXTS ? differsBefore28[one.name] : undefined
  t.test(one.name, async (t) => {
    const subject = await outcome(dockerTs, one)
    await t.test(`docker ${packaged.major}`, { skip: different ?? false }, async (t) =>
      t.same(subject, await outcome(packaged.path, one)),
    )
    await t.test(
      'docker of the newest texts',
      { skip: 'reason' in newest ? newest.reason : newest.path === packaged.path && 'it is the same' },
      async (t) => {
        if ('path' in newest) t.same(subject, await outcome(newest.path, one))
      },
    )
  })
}

t.test('every case that an older client is excused from is there', async (t) => {
  const names = new Set(allCases.map(({ name }) => name))
  t.same(
    Object.keys(differsBefore28).filter((name) => !names.has(name)),
    [],
  )
})

t.test('nothing is left on the machine', async (t) => {
  rmSync(dirname(rootfs), { recursive: true, force: true })
  t.same(await daemon.stop(), [])
})
