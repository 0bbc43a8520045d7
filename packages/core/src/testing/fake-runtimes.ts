/** OCI runtimes that run nothing; the monitors do, see fake-monitors.ts. */
import type { Runtimes } from '../ports/runtime.ts'
import { call, type FakeHostState } from './fake-host-state.ts'

export function fakeRuntimes(state: FakeHostState): Runtimes {
  return {
    defaultName: 'runc',
    list: () => ({ runc: { path: 'runc' }, other: { path: 'other' } }),
    features: async (name) => (name === 'runc' ? '{"ociVersionMax":"1.0.2"}' : undefined),
    resolve: async (name = 'runc') => ({
      name,
      command: { path: `/usr/bin/${name}`, globalArguments: [] },
      stateDirectory: (id) => `/run/${name}/${id}`,
      deleteForce: async (id) => call(state, 'runtime.deleteForce', id),
      version: '1.2.3',
      isCrun: false,
      seccompAnnotations: async () => ({ 'run.oci.fake': 'kept' }),
      keepSeccomp: async (_filter, { containerId }) => call(state, 'runtime.keepSeccomp', containerId),
    }),
  }
}
