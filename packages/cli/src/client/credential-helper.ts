/** Talks to `docker-credential-NAME` programs, which keep passwords out of config.json. */
import { spawnSync } from 'node:child_process'
import type { AuthEntry } from '../config-file.ts'

const TIMEOUT_MS = 60_000
const MAX_OUTPUT_BYTES = 1024 * 1024
/** The user name by which helpers say that the secret is an identity token. */
const TOKEN_USER = '<token>'

export function credentialHelper(name: string) {
  const program = `docker-credential-${name}`
  const ask = (action: string, input: string): { ok: boolean; text: string } => {
    const result = spawnSync(program, [action], {
      input,
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
    })
    if (result.error)
      throw new Error(
        `error getting credentials - err: exec: "${program}": executable file not found in $PATH, out: \`\``,
      )
    return { ok: result.status === 0, text: result.stdout.trim() }
  }
  return {
    get(server: string): AuthEntry {
      const { ok, text } = ask('get', server)
      if (!ok) {
        if (/credentials not found/.test(text)) return {}
        throw new Error(`error getting credentials - err: exit status 1, out: \`${text}\``)
      }
      const found = JSON.parse(text) as { Username: string; Secret: string }
      if (found.Username === TOKEN_USER) return { identitytoken: found.Secret, serveraddress: server }
      return { username: found.Username, password: found.Secret, serveraddress: server }
    },
    store(server: string, username: string, secret: string): void {
      const { ok, text } = ask('store', JSON.stringify({ ServerURL: server, Username: username, Secret: secret }))
      if (!ok) throw new Error(`error storing credentials - err: exit status 1, out: \`${text}\``)
    },
    erase(server: string): void {
      ask('erase', server)
    },
  }
}
