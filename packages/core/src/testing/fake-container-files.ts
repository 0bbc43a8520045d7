/** The directories of containers and execs in memory. */
import type { ContainerFiles } from '../ports/host.ts'
import { call, type FakeHostState } from './fake-host-state.ts'

export function fakeContainerFiles(state: FakeHostState): ContainerFiles {
  const dataDirectory = (id: string) => `/data/containers/${id}`
  const runDirectory = (id: string) => `/run/c/${id}`
  const execDirectory = (id: string) => `/run/x/${id}`
  return {
    dataDirectory,
    runDirectory,
    execDirectory,
    logPath: (id) => `${dataDirectory(id)}/${id}-json.log`,
    createData: (id) => void state.data.add(id),
    prepareRun: (id) => {
      call(state, 'files.prepareRun', id)
      state.runs.set(runDirectory(id), undefined)
      return runDirectory(id)
    },
    writeSpec: (id, spec) => {
      call(state, 'files.writeSpec', id)
      state.runs.set(runDirectory(id), JSON.parse(JSON.stringify(spec)))
    },
    readSpec: async (id) => state.runs.get(runDirectory(id)),
    mountSharedMemory: async (id) => {
      call(state, 'files.mountSharedMemory', id)
      return `${dataDirectory(id)}/shm`
    },
    sharedMemoryPath: (id) => `${dataDirectory(id)}/shm`,
    unmountSharedMemory: async (id) => call(state, 'files.unmountSharedMemory', id),
    prepareExec: (id) => {
      state.execDirectories.add(execDirectory(id))
      return `${execDirectory(id)}/process.json`
    },
    removeRun: async (id) => {
      call(state, 'files.removeRun', id)
      state.runs.delete(runDirectory(id))
    },
    removeExec: async (id) => void state.execDirectories.delete(execDirectory(id)),
    removeData: async (id) => void state.data.delete(id),
    keptLogPath: (id) => `/data/removed/${id}/${id}-json.log`,
    keepLog: async (id, limitBytes) => {
      call(state, 'files.keepLog', id)
      const path = `${dataDirectory(id)}/${id}-json.log`
      const bytes = (state.logs.get(path) ?? []).reduce((sum, { line }) => sum + line.length, 0)
      const moved = bytes <= limitBytes ? state.logs.get(path) : undefined
      if (moved !== undefined) state.logs.set(`/data/removed/${id}/${id}-json.log`, moved)
      state.logs.delete(path)
      state.kept.add(id)
      return (state.logs.get(`/data/removed/${id}/${id}-json.log`) ?? []).reduce(
        (sum, { line }) => sum + line.length,
        0,
      )
    },
    removeKept: async (id) => {
      state.kept.delete(id)
      state.logs.delete(`/data/removed/${id}/${id}-json.log`)
    },
    removeDirectory: async (path) => {
      state.runs.delete(path)
      state.execDirectories.delete(path)
    },
    existing: () => ({
      dataIds: [...state.data],
      keptIds: [...state.kept],
      runDirectories: [...state.runs.keys()],
      execDirectories: [...state.execDirectories],
    }),
  }
}
