/** Waits for a container's exit code. */
import { type ApiClient, collect } from '../client/api-client.ts'
import { logError } from '../terminal/log-line.ts'

const MAX_ANSWER_BYTES = 64 * 1024
const WAIT_FAILED_CODE = 125

/**
 * Registers the wait; resolves when the daemon has acknowledged it, with a promise of the code. A container that
 * removes itself has not ended before it is gone.
 */
export async function awaitExit(api: ApiClient, id: string, removed: boolean): Promise<{ code: Promise<number> }> {
  const reply = await api.request('POST', `/containers/${id}/wait`, {
    query: { condition: removed ? 'removed' : 'next-exit' },
  })
  const code = collect(reply.body, MAX_ANSWER_BYTES).then((bytes) => {
    const answer = JSON.parse(bytes.toString()) as { StatusCode: number; Error?: { Message: string } | null }
    if (answer.Error?.Message) {
      logError(`Error waiting for container: ${answer.Error.Message}`)
      return WAIT_FAILED_CODE
    }
    return answer.StatusCode
  })
  code.catch(() => {})
  return { code }
}
