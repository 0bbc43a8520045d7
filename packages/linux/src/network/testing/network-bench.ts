/** What host tests of networks work with: the adapter on the real helper, stand-ins for containers, clients. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ContainerNetworks, type NetworkRecords, newId, type PortRequest, silentLogger } from '@dockerd-ts/core'
import { fakeNetworkRecords } from '@dockerd-ts/core/testing'
import { buildProgram } from '../../monitor/testing/test-bundle.ts'
import { type HostHelperClient, startHostHelper } from '../../syscalls/host-helper.ts'
import { until } from '../../syscalls/testing/until.ts'
import { createContainerNetworks } from '../container-networks.ts'
import type { ContainerNetworksOptions } from '../network-context.ts'

export interface NetworkBench {
  networks: ContainerNetworks
  helper: HostHelperClient
  records: NetworkRecords
  execRoot: string
  /** A second adapter on the same records, as a restarted daemon has it. */
  restart(): Promise<ContainerNetworks>
  /** Runs a program until the bench ends; answers when `ready` says so. */
  serve(namespacePath: string, argv: readonly string[], ready: () => boolean): Promise<ChildProcess>
  close(): Promise<void>
}

export const run = (...argv: string[]): string =>
  execFileSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 })

/** The output, or undefined when the program fails. */
export function attempt(...argv: string[]): string | undefined {
  try {
    return run(...argv)
  } catch {
    return undefined
  }
}

export const inside = (namespacePath: string, ...argv: string[]): string[] => [
  'nsenter',
  `--net=${namespacePath}`,
  ...argv,
]

export const port = (text: string): PortRequest => {
  const [, hostIp = '', hostPort = '', containerPort = '', protocol = 'tcp'] =
    /^(?:(\[[^\]]+\]|[\d.]+):)?([\d-]*):(\d+)(?:\/(\w+))?$/.exec(text) ?? []
  return { hostIp, hostPort, containerPort: Number(containerPort), protocol: protocol as PortRequest['protocol'] }
}

export async function networkBench(options: Partial<ContainerNetworksOptions> = {}): Promise<NetworkBench> {
  run('ip', 'link', 'set', 'lo', 'up')
  const execRoot = mkdtempSync(join(tmpdir(), 'dockerd-ts-networks-'))
  const helper = await startHostHelper({ program: buildProgram() })
  const records = options.records ?? fakeNetworkRecords()
  const make = () => createContainerNetworks({ helper, log: silentLogger, execRoot, ...options, records })
  const networks = await make()
  await networks.reconcile(new Set())
  const servers: ChildProcess[] = []
  const made: ContainerNetworks[] = [networks]
  return {
    networks,
    helper,
    records,
    execRoot,
    async restart() {
      const next = await make()
      made.push(next)
      return next
    },
    async serve(namespacePath, argv, ready) {
      const [program = '', ...rest] = inside(namespacePath, ...argv)
      const server = spawn(program, rest, { stdio: 'ignore' })
      servers.push(server)
      await until(ready)
      return server
    },
    async close() {
      for (const server of servers) server.kill('SIGKILL')
      for (const adapter of made) await adapter.close()
      for (const name of readdirSync(join(execRoot, 'netns'))) {
        await helper.deleteNetworkNamespace(join(execRoot, 'netns', name))
      }
      await helper.close()
      rmSync(execRoot, { recursive: true, force: true })
    },
  }
}

/** A directory with one page for busybox httpd. */
function page(parent: string, text: string): string {
  const directory = mkdtempSync(join(parent, 'page-'))
  writeFileSync(join(directory, 'index.html'), text)
  return directory
}

/** Sets up the network of a container that is a namespace with a web server in it. */
export async function webContainer(
  bench: NetworkBench,
  request: { text: string; ports?: string[]; network?: string; bind?: string },
) {
  const containerId = newId()
  const result = await bench.networks.setUp({
    containerId,
    hostname: 'web',
    endpoints: [{ network: request.network ?? 'default' }],
    ports: (request.ports ?? []).map(port),
  })
  const address = request.bind ?? '[::]:80'
  const listening = () =>
    (attempt(...inside(result.namespacePath, 'cat', '/proc/self/net/tcp', '/proc/self/net/tcp6')) ?? '').includes(
      ':0050 ',
    )
  await bench.serve(
    result.namespacePath,
    ['busybox', 'httpd', '-f', '-p', address, '-h', page(bench.execRoot, request.text)],
    listening,
  )
  return { containerId, ...result }
}

export const fetchText = (url: string, ...via: string[]): string | undefined =>
  attempt(...via, 'curl', '-sfg', '--max-time', '3', url)?.trim()
