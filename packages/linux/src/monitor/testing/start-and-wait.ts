/** For a host test: a client of its own that starts a container, prints its pid, and waits to be killed. */
import { readFileSync } from 'node:fs'
import { startHostHelper } from '../../syscalls/host-helper.ts'
import { createMonitors } from '../monitors.ts'
import { monitorProgramInSourceTree } from '../program-path.ts'

const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const helper = await startHostHelper({ program: monitorProgramInSourceTree() })
const monitor = await createMonitors({ helper }).prepare(plan)
const { pid } = await monitor.go()
process.stdout.write(`${pid}\n`)
await new Promise(() => setInterval(() => undefined, 1000))
