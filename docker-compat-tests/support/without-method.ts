/** Operations for which a client has no method, and why; every other one is exercised by the client's tests. */

export const clientsOfContainers = ['docker', 'dockerode', 'docker-py', 'testcontainers'] as const
export type ClientOfContainers = (typeof clientsOfContainers)[number]

/** Paths whose operations all have to be exercised. */
export const exercisedPaths = /^\/(containers|exec|commit|events|info)(\/|$)/

const noneHas = {
  docker: 'it attaches by the upgrade to tcp only',
  dockerode: 'it attaches by the upgrade to tcp only',
  'docker-py': 'attach_socket(ws=True) opens TCP connections only, and the daemon serves a Unix socket',
  testcontainers: 'it attaches by dockerode',
}

const notInTests = (what: string) => ({ testcontainers: `its containers have no ${what}` })

export const withoutMethod: Readonly<Record<string, Partial<Record<ClientOfContainers, string>>>> = {
  ContainerAttachWebsocket: noneHas,
  ContainerTop: notInTests('top'),
  ContainerChanges: notInTests('diff'),
  ContainerExport: notInTests('export'),
  ContainerStats: notInTests('stats'),
  ContainerResize: notInTests('terminal'),
  ContainerUpdate: notInTests('update'),
  ContainerRename: notInTests('rename'),
  ContainerPause: notInTests('pause'),
  ContainerUnpause: notInTests('unpause'),
  ContainerWait: notInTests('wait: it polls inspect'),
  ContainerPrune: notInTests('prune'),
  ExecResize: notInTests('terminal'),
  ContainerArchiveInfo: {
    'docker-py': 'get_archive reads the stat from the answer to GET',
    testcontainers: 'it reads archives whole',
  },
}
