/** The same requests to our daemon and to a real dockerd: statuses, media types, bodies and streams are equal. */
import t from 'tap'
import { noReference } from '../support/reference-daemon.ts'
import { startBoth } from './both-engines.ts'
import { answerTo } from './exchange.ts'
import { comparedRequests } from './requests.ts'

/** The oldest that clients in use speak, the one that changed most, the newest of the reference (dockerd 26). */
const versions = process.env.COMPARE_VERSIONS?.split(',') ?? ['1.41', '1.44', '1.45']

if (noReference) t.pass('not compared', { skip: noReference })
else await compare()

async function compare(): Promise<void> {
  t.setTimeout(600_000)
  const { ours, reference, stop } = await startBoth()
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
  t.test('nothing is left', async (t) => t.same(await stop(), []))
}
