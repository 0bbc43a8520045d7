/** The same requests to our daemon and to a real dockerd: statuses, media types, bodies and streams are equal. */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { noReference, startReference } from '../support/reference-daemon.ts'
import { answerTo } from './exchange.ts'
import { comparedRequests } from './requests.ts'

/** The oldest that clients in use speak, the one that changed most, the newest of the reference (dockerd 26). */
const versions = process.env.COMPARE_VERSIONS?.split(',') ?? ['1.41', '1.44', '1.45']

if (noReference) t.pass('not compared', { skip: noReference })
else await compare()

async function compare(): Promise<void> {
  t.setTimeout(600_000)
  const ours = await startDaemon()
  const reference = await startReference()
  const tar = busyboxRootfs()
  for (const { socket } of [ours, reference]) await importImage(socket, tar, 'busybox:latest')
  rmSync(dirname(tar), { recursive: true })
  for (const version of versions) {
    t.test(`API ${version}`, async (t) => {
      for (const request of comparedRequests) {
        const wanted = await answerTo(reference.socket, version, request)
        const body = request.body === undefined ? '' : ` ${JSON.stringify(request.body)}`
        const found = await answerTo(ours.socket, version, request)
        const skip = request.differs ?? false
        t.same(found, wanted, `${request.method} ${request.path}${body}`, { skip })
      }
    })
  }
  t.test('nothing is left', async (t) => {
    await reference.stop()
    t.same(await ours.stop(), [])
  })
}
