/** What exists on the pretended host, shared by the fakes of the ports around a container's run. */
import type { HostDescription } from '../ports/host.ts'
import type { EndpointRow, NameFilesRequest } from '../ports/networks.ts'
import type { LogRecord } from '../ports/storage.ts'
import type { OciSpec } from '../spec/index.ts'

/** Everything that exists on the pretended host; it outlives a daemon. */
export interface FakeHostState {
  /** `what id` in the order of the calls, for tests of order. */
  readonly calls: string[]
  readonly rootFilesystems: Set<string>
  readonly mounted: Set<string>
  readonly data: Set<string>
  /** Removed containers of which a log is kept. */
  readonly kept: Set<string>
  readonly runs: Map<string, OciSpec | undefined>
  readonly execDirectories: Set<string>
  readonly endpoints: Map<string, EndpointRow[]>
  readonly frozen: Set<string>
  readonly logs: Map<string, LogRecord[]>
  /** Log path → how many records were sent on. */
  readonly deliveredRecords: Map<string, number>
  readonly paths: Map<string, 'directory' | 'file' | 'other'>
  /** Text of files in every container's root. */
  readonly rootFiles: Map<string, string>
  readonly limits: Map<string, Record<string, number | string | undefined>>
  /** Method names whose next call fails with this error. */
  readonly failures: Map<string, Error>
  bootId: string
  psOutput: string
  processIds: number[]
  /** Where the host is another one than usual. */
  description: Partial<HostDescription>
  /** Devices by path; options that name another find nothing. */
  readonly deviceNumbers: Map<string, { type: 'c' | 'b'; major: number; minor: number }>
  /** What the files of names were to say, in the order of the starts. */
  readonly nameFiles: NameFilesRequest[]
}

export function fakeHostState(): FakeHostState {
  return {
    calls: [],
    rootFilesystems: new Set(),
    mounted: new Set(),
    data: new Set(),
    kept: new Set(),
    runs: new Map(),
    execDirectories: new Set(),
    endpoints: new Map(),
    frozen: new Set(),
    logs: new Map(),
    deliveredRecords: new Map(),
    paths: new Map([['/tmp', 'directory']]),
    rootFiles: new Map([
      ['/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n'],
      ['/etc/group', 'root:x:0:\nbob:x:1000:\n'],
    ]),
    limits: new Map(),
    failures: new Map(),
    bootId: 'boot-1',
    psOutput: '',
    processIds: [],
    description: {},
    deviceNumbers: new Map([
      ['/dev/zero', { type: 'c', major: 1, minor: 5 }],
      ['/dev/full', { type: 'c', major: 1, minor: 7 }],
      ['/dev/sda', { type: 'b', major: 8, minor: 0 }],
    ]),
    nameFiles: [],
  }
}

/** Notes the call, and throws what the test has planned for it. */
export function call(state: FakeHostState, name: string, id: string): void {
  state.calls.push(`${name} ${id}`)
  const failure = state.failures.get(name)
  state.failures.delete(name)
  if (failure !== undefined) throw failure
}
