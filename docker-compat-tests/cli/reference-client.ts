/** The docker client that docker-ts is compared with: texts changed much before 28, so it has to be that or newer. */
import { execFileSync } from 'node:child_process'
import { docker } from '../support/programs.ts'

const LEAST_MAJOR = 28

/** Its path, or the reason why there is none to compare with. */
export function referenceClient(): { path: string } | { reason: string } {
  const found: string[] = []
  for (const path of [process.env.DOCKER_CLI, 'docker', docker]) {
    if (!path) continue
    try {
      const version = /version (\d+)\.\S+/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))
      found.push(version?.[0] ?? path)
      if (Number(version?.[1]) >= LEAST_MAJOR)
        return { path: execFileSync('sh', ['-c', `command -v ${path}`], { encoding: 'utf8' }).trim() }
    } catch {
      // Not there: the next one.
    }
  }
  return {
    reason: `needs a docker client of version ${LEAST_MAJOR} or newer (DOCKER_CLI names one); found: ${found.join(', ') || 'none'}`,
  }
}
