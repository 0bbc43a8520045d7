/** Root filesystems in memory. */
import type { RootFilesystems } from '../ports/storage.ts'
import { call, type FakeHostState } from './fake-host-state.ts'

export function fakeRootFilesystems(state: FakeHostState): RootFilesystems {
  return {
    create: async (id) => {
      call(state, 'rootfs.create', id)
      state.rootFilesystems.add(id)
    },
    makeDirectory: async (id, directory) => {
      call(state, 'rootfs.makeDirectory', `${id} ${directory}`)
      return state.paths.get(directory) === 'directory' ? 'existed' : 'made'
    },
    mount: async (id) => {
      call(state, 'rootfs.mount', id)
      if (!state.rootFilesystems.has(id)) throw new Error(`no root filesystem ${id}`)
      state.mounted.add(id)
      return `/merged/${id}`
    },
    imageMountPoint: (id, { destination }) => `/data/containers/${id}/images${destination}`,
    mountImage: async (id, { destination, subpath }) => {
      call(state, 'rootfs.mountImage', id)
      const path = `/data/containers/${id}/images${destination}`
      const shown = subpath ? `${path}/${subpath}` : path
      state.paths.set(shown, 'directory')
      return shown
    },
    unmountImages: async (id) => call(state, 'rootfs.unmountImages', id),
    unmount: async (id) => {
      call(state, 'rootfs.unmount', id)
      state.mounted.delete(id)
    },
    use: async (id, work) => {
      if (!state.rootFilesystems.has(id)) throw new Error(`no root filesystem ${id}`)
      return work(`/merged/${id}`)
    },
    upperDirectory: (id) => `/data/containers/${id}/upper`,
    remove: async (id) => {
      call(state, 'rootfs.remove', id)
      state.mounted.delete(id)
      state.rootFilesystems.delete(id)
    },
    describe: async (id) => ({ UpperDir: `/data/${id}/upper`, MergedDir: `/data/${id}/merged` }),
    writableSizeBytes: async () => 100,
    changes: async () => [{ path: '/new', kind: 'added' }],
    existing: async (isKnown) => ({
      unknown: [...new Set([...state.rootFilesystems, ...state.mounted])].filter((id) => !isKnown(id)),
      mounted: [...state.mounted].filter(isKnown),
    }),
  }
}
