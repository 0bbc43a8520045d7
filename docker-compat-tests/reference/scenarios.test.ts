/** The same scenarios on our daemon and on a real dockerd: waits, WebSockets, statistics and events come to the same. */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { noReference, startReference } from '../support/reference-daemon.ts'
import { scenarios } from './scenarios.ts'

const versions = process.env.COMPARE_VERSIONS?.split(',') ?? ['1.41', '1.44', '1.45']
const only = process.env.COMPARE_SCENARIOS ?? ''

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
      for (const { name, play, differs = false } of scenarios.filter((scenario) => scenario.name.includes(only))) {
        const outcome = ({ socket, pid }: { socket: string; pid: number }) =>
          play({ socket, api: `/v${version}`, reload: () => void process.kill(pid, 'SIGHUP') })
        const wanted = await outcome(reference)
        t.same(await outcome(ours), wanted, name, { skip: differs })
      }
    })
  }
  t.test('nothing is left', async (t) => {
    await reference.stop()
    t.same(await ours.stop(), [])
  })
}
