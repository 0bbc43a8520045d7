/** Plays cases with docker-ts and with the docker clients that this machine has, all on one daemon of ours. */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type t from 'tap'
import { startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { dockerTs } from '../support/programs.ts'
import { type CliCase, type Outcome, outcomeOf } from './compare.ts'
import { differsBefore28 } from './older-client.ts'
import { NEWEST_TEXTS, newestClient, packagedClient } from './reference-client.ts'

export async function compareClients(
  test: typeof t,
  cases: readonly CliCase[],
  registries: Readonly<Record<string, string>> = {},
): Promise<void> {
  const packaged = packagedClient()
  const newest = newestClient()
  const daemon = await startDaemon()
  const rootfs = busyboxRootfs()
  const image = 'busybox'
  await importImage(daemon.socket, rootfs, image)
  const outcome = (client: string, one: CliCase) => outcomeOf({ client, socket: daemon.socket, image, registries }, one)

  for (const one of cases) {
    const different = packaged.major < NEWEST_TEXTS ? differsBefore28[one.name] : undefined
    test.test(one.name, async (t) => {
      let played: Promise<Outcome> | undefined
      // Not played where nobody is there to compare with.
      const subject = () => (played ??= outcome(dockerTs, one))
      await t.test(`docker ${packaged.major}`, { skip: different ?? false }, async (t) =>
        t.same(await subject(), await outcome(packaged.path, one)),
      )
      await t.test(
        'docker of the newest texts',
        { skip: 'reason' in newest ? newest.reason : newest.path === packaged.path && 'it is the same' },
        async (t) => {
          if ('path' in newest) t.same(await subject(), await outcome(newest.path, one))
        },
      )
    })
  }

  test.test('nothing is left on the machine', async (t) => {
    rmSync(dirname(rootfs), { recursive: true, force: true })
    t.same(await daemon.stop(), [])
  })
}
