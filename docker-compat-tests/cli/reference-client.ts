/** The docker clients that docker-ts is compared with: Debian's, and a newest one where the machine has it. */
import { execFileSync } from 'node:child_process'
import { docker } from '../support/programs.ts'

export interface ReferenceClient {
  path: string
  /** 28 of 28.2.2 */
  major: number
}

/** From here on a client's texts and requests are those that docker-ts has. */
export const NEWEST_TEXTS = 28

/** Debian's client, as the setup unpacked it. */
export const packagedClient = (): ReferenceClient => {
  const client = clientAt(docker)
  if (!client) throw new Error(`${docker} is missing: scripts/fetch-docker-cli gets it`)
  return client
}

/** A client of version 28 or newer, or the reason why there is none to compare with. */
export function newestClient(): ReferenceClient | { reason: string } {
  const found = [process.env.DOCKER_CLI, 'docker', docker].flatMap((path) => (path ? (clientAt(path) ?? []) : []))
  return (
    found.find(({ major }) => major >= NEWEST_TEXTS) ?? {
      reason: `needs a docker client of version ${NEWEST_TEXTS} or newer (DOCKER_CLI names one); found: ${found.map(({ path, major }) => `${path} (${major})`).join(', ') || 'none'}`,
    }
  )
}

function clientAt(program: string): ReferenceClient | undefined {
  try {
    const path = execFileSync('sh', ['-c', 'command -v "$1"', '', program], { encoding: 'utf8' }).trim()
    const version = /version (\d+)\./.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))
    return version ? { path, major: Number(version[1]) } : undefined
  } catch {
    return undefined
  }
}
