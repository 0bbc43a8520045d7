/** docker-py (Debian's python3-docker): a script of its users' calls, each check a subtest here. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run } from '../support/programs.ts'
import { seededRegistry } from '../support/registry.ts'
import { leavesNothing, startWithImage } from '../support/sdk.ts'

/** Debian's, whatever other Python leads PATH. */
const python = '/usr/bin/python3'

const missing = (() => {
  try {
    execFileSync(python, ['-c', 'import docker'], { stdio: 'ignore' })
    return false
  } catch {
    return `${python} has no docker module (Debian: python3-docker)`
  }
})()

if (missing) t.pass('not run', { skip: missing })
else {
  const daemon = await startWithImage()
  const registry = await seededRegistry(t)
  const script = fileURLToPath(new URL('docker_py.py', import.meta.url))
  const { stdout, stderr, status } = await run(python, [script, daemon.socket, registry.host], { timeoutMs: 300_000 })
  for (const line of stdout.split('\n').filter((line) => line !== '')) {
    const { name, error } = JSON.parse(line) as { name: string; error?: string }
    t.test(name, async (t) => t.equal(error, undefined))
  }
  t.equal(status, 0, stderr)
  leavesNothing(t, daemon)
}
