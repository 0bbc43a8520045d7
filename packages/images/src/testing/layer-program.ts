/** For tests: the C program, built when it is missing or older than its source. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const monitor = fileURLToPath(new URL('../../../monitor/', import.meta.url))

export function builtLayerProgram(kind: 'release' | 'sanitize' = 'release'): string {
  execFileSync('sh', [`${monitor}build.sh`, kind], { stdio: ['ignore', 'ignore', 'inherit'] })
  return `${monitor}build/dockerd-ts-monitor${kind === 'sanitize' ? '-sanitize' : ''}`
}
