/** The same scenarios on our daemon and on a real dockerd: waits, WebSockets, statistics and events come to the same. */
import t from 'tap'
import { noReference } from '../support/reference-daemon.ts'
import { startBoth } from './both-engines.ts'
import { scenarios } from './scenarios.ts'

const versions = process.env.COMPARE_VERSIONS?.split(',') ?? ['1.41', '1.44', '1.45']
const only = process.env.COMPARE_SCENARIOS ?? ''

if (noReference) t.pass('not compared', { skip: noReference })
else await compare()

async function compare(): Promise<void> {
  t.setTimeout(600_000)
  const { ours, reference, stop } = await startBoth()
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
  t.test('nothing is left', async (t) => t.same(await stop(), []))
}
