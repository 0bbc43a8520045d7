/** Runs a host test in network, mount and pid namespaces of its own: it can leave nothing behind and disturb nobody. */
import { spawnSync } from 'node:child_process'

const marker = 'DOCKERD_TS_TEST_NAMESPACE'

/** True inside. Outside it runs the test file again inside and ends this process with the result. */
export function inOwnNamespace(): boolean {
  if (process.env[marker] === '1') return true
  // The pid namespace ends with the test, however that ends, and takes every program in it along.
  const flags = ['--net', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc']
  const argv = [...flags, process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const { status, error } = spawnSync('unshare', argv, { stdio: 'inherit', env: { ...process.env, [marker]: '1' } })
  if (error) throw error
  process.exit(status ?? 1)
}
