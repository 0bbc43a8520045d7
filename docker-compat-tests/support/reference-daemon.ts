/**
 * A real dockerd to compare with, where there is one: DOCKERD_REFERENCE names its program (containerd and runc have to
 * be beside it or on PATH). It has a bridge of its own and writes no firewall rules.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { call, removeContainers } from './daemon.ts'

export const referenceProgram = process.env.DOCKERD_REFERENCE

/** The reason why nothing is compared; false where there is a reference. */
export const noReference: string | false = referenceProgram
  ? false
  : 'DOCKERD_REFERENCE names no dockerd to compare with'

export interface ReferenceDaemon {
  readonly socket: string
  readonly pid: number
  /** Removes all containers, ends it, and answers what is left: always [] (it is not what is tested). */
  stop(): Promise<string[]>
}

export async function startReference(): Promise<ReferenceDaemon> {
  const program = referenceProgram ?? ''
  const bridge = `dtsr${process.pid % 100_000}`
  ip('link', 'add', bridge, 'type', 'bridge')
  ip('addr', 'add', `10.213.${process.pid % 256}.1/24`, 'dev', bridge)
  ip('link', 'set', bridge, 'up')
  const directory = mkdtempSync('/tmp/dts-ref-')
  const socket = `${directory}/docker.sock`
  const log = openSync(`${directory}/log`, 'a')
  const child = spawn(
    program,
    [
      ...['-H', `unix://${socket}`, '--data-root', `${directory}/data`, '--exec-root', `${directory}/exec`],
      ...['-p', `${directory}/pid`, '--bridge', bridge, '--iptables=false', '--ip6tables=false'],
    ],
    {
      stdio: ['ignore', log, log],
      env: { ...process.env, PATH: `${dirname(program)}:${dirname(program)}/../bin:${process.env.PATH}` },
    },
  )
  closeSync(log)
  await answering(child, socket, `${directory}/log`)
  return { socket, pid: child.pid ?? -1, stop: () => stop(child, { socket, directory, bridge }) }
}

async function answering(child: ChildProcess, socket: string, log: string): Promise<void> {
  const deadline = Date.now() + 60_000
  while (
    !(await call(socket, 'GET', '/_ping').then(
      ({ status }) => status === 200,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the reference did not start:\n${readFileSync(log, 'utf8').slice(-4096)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const ip = (...argv: string[]) => execFileSync('ip', argv, { stdio: 'ignore' })

async function stop(
  child: ChildProcess,
  { socket, directory, bridge }: Record<'socket' | 'directory' | 'bridge', string>,
) {
  await removeContainers(socket)
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
  ip('link', 'del', bridge)
  // Its mounts (network namespaces, the data root itself) go before their directory.
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${directory}/`))
  for (const path of mounts.reverse()) execFileSync('umount', ['-l', path])
  rmSync(directory, { recursive: true, force: true })
  return []
}
