/** Runs a host test in network and mount namespaces of its own: it can leave nothing behind and disturb nobody. */
import { spawnSync } from 'node:child_process'

const marker = 'DOCKERD_TS_TEST_NAMESPACE'

/** True inside. Outside it runs the test file again inside and ends this process with the result. */
export function inOwnNamespace(): boolean {
  if (process.env[marker] === '1') return true
  const argv = [
    '--net',
    '--mount',
    '--propagation',
    'private',
    process.execPath,
    ...process.execArgv,
    ...process.argv.slice(1),
  ]
  const { status, error } = spawnSync('unshare', argv, { stdio: 'inherit', env: { ...process.env, [marker]: '1' } })
  if (error) throw error
  process.exit(status ?? 1)
}
