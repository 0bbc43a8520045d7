/** For host tests: a helper with a scratch directory, both gone after the test. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buildProgram, testEnvironment } from '../../monitor/testing/test-bundle.ts'
import { type HostHelperClient, startHostHelper } from '../host-helper.ts'

export interface HelperBench {
  helper: HostHelperClient
  directory: string
  /** What the client was told about ends of the helper. */
  restarts: string[]
}

export async function openHelperBench(t: { teardown(work: () => Promise<void>): void }): Promise<HelperBench> {
  const directory = await realpath(await mkdtemp(path.join(tmpdir(), 'dockerd-ts-helper-')))
  const restarts: string[] = []
  const helper = await startHostHelper({
    program: buildProgram(),
    environment: testEnvironment(),
    onRestart: (reason) => restarts.push(reason),
  })
  t.teardown(async () => {
    const below = mountPoints().filter((point) => point.startsWith(`${directory}/`))
    for (const point of below.reverse()) await helper.unmount(point, { detach: true })
    await helper.close()
    await rm(directory, { recursive: true, force: true })
  })
  return { helper, directory, restarts }
}

export function run(...command: string[]): string {
  return execFileSync(command[0] ?? '', command.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

export interface MountLine {
  point: string
  /** Per-mount options, e.g. `ro,relatime`. */
  options: string
  /** Propagation, e.g. `shared:1`; empty for private. */
  propagation: string
  type: string
}

export function mountLines(): MountLine[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => {
    const parts = line.split(' ')
    const dash = parts.indexOf('-')
    return {
      point: parts[4] ?? '',
      options: parts[5] ?? '',
      propagation: parts.slice(6, dash).join(' '),
      type: parts[dash + 1] ?? '',
    }
  })
}

export function mountPoints(): string[] {
  return mountLines().map(({ point }) => point)
}
