/** Passes the signals this program gets on to a container. */
import { constants } from 'node:os'
import type { ApiClient } from '../client/api-client.ts'

/** Signals that concern this process only, or that cannot be caught. */
const OWN_SIGNALS = new Set([
  'SIGCHLD',
  'SIGPIPE',
  'SIGURG',
  'SIGKILL',
  'SIGSTOP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGPROF',
  'SIGVTALRM',
  'SIGSEGV',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
])
/** Other names of signals that are in the list already. */
const SYNONYMS = new Set(['SIGIOT', 'SIGPOLL', 'SIGUNUSED', 'SIGSTKFLT'])

/** Starts forwarding; the returned function stops it. */
export function forwardSignals(api: ApiClient, containerId: string): () => void {
  const names = Object.keys(constants.signals).filter(
    (name) => !OWN_SIGNALS.has(name) && !SYNONYMS.has(name),
  ) as NodeJS.Signals[]
  const forward = (name: NodeJS.Signals) => {
    api.call('POST', `/containers/${containerId}/kill`, { query: { signal: name.slice('SIG'.length) } }).catch(() => {
      // The container may have ended in the meantime; there is nobody left to tell.
    })
  }
  const installed = names.filter((name) => {
    try {
      process.on(name, forward)
      return true
    } catch {
      return false
    }
  })
  return () => {
    for (const name of installed) process.off(name, forward)
  }
}
