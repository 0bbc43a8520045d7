/** docker-ts sends the very same requests as docker. */
import t from 'tap'
import { dockerTs } from '../support/programs.ts'
import { requestCases, requestsOf } from './create-bodies.ts'
import { newestClient } from './reference-client.ts'

const reference = newestClient()

for (const line of requestCases) {
  t.test(`docker ${line}`, { skip: 'reason' in reference && reference.reason }, async (t) => {
    if ('reason' in reference) return
    const wanted = await requestsOf(reference.path, line)
    t.ok(wanted.length > 0, 'docker sends a request')
    t.same(await requestsOf(dockerTs, line), wanted)
  })
}
