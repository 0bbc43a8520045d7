/** docker and docker-ts say the same about our daemon, command by command. */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { dockerTs } from '../support/programs.ts'
import { allCases } from './cases/index.ts'
import { compareCase } from './compare.ts'
import { referenceClient } from './reference-client.ts'

const reference = referenceClient()

if ('reason' in reference) t.pass('not compared', { skip: reference.reason })
else {
  const daemon = await startDaemon()
  const rootfs = busyboxRootfs()
  const image = 'busybox'
  await importImage(daemon.socket, rootfs, image)
  for (const one of allCases) {
    t.test(one.name, async (t) => {
      const { reference: wanted, subject: found } = await compareCase(
        { reference: reference.path, subject: dockerTs, host: daemon.host, image },
        one,
      )
      t.same(found, wanted)
    })
  }
  t.test('nothing is left on the machine', async (t) => {
    rmSync(dirname(rootfs), { recursive: true, force: true })
    t.same(await daemon.stop(), [])
  })
}
