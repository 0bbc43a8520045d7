/** The names of all commands, with what listings say about each; a command's file is loaded when it is chosen. */
import type { Command } from '../command.ts'

export interface Leaf {
  short: string
  load(): Promise<Command>
  /** Its canonical words; an alias shows these. */
  hidden?: boolean
}

export interface Group {
  short: string
  commands: Record<string, Leaf | Group>
  /** Other names of members: list -> ls. */
  aliases?: Record<string, string>
}

const leaf = (short: string, load: () => Promise<{ default: Command }>, hidden = false): Leaf => ({
  short,
  hidden,
  load: async () => (await load()).default,
})

const attach = leaf('Join a running container: its output here, this input there', () => import('./attach.ts'))
const commit = leaf("Make an image of a container's changes", () => import('./commit.ts'))
const cp = leaf('Copy files between a container and this machine', () => import('./cp.ts'))
const create = leaf('Create a container without starting it', () => import('./create.ts'))
const diff = leaf("Show what changed in a container's filesystem", () => import('./diff.ts'))
const events = leaf('Follow what happens in the daemon', () => import('./events.ts'))
const exec = leaf('Run a command in a running container', () => import('./exec.ts'))
const exportCommand = leaf("Write a container's filesystem as a tar archive", () => import('./export.ts'))
const history = leaf('Show the steps an image was made of', () => import('./history.ts'))
const images = leaf('List images', () => import('./images.ts'))
const importCommand = leaf('Make an image from a tar archive of a filesystem', () => import('./import.ts'))
const info = leaf('Show facts about the whole system', () => import('./info.ts'))
const kill = leaf('Send a signal to running containers', () => import('./kill.ts'))
const load = leaf('Load images from a tar archive or standard input', () => import('./load.ts'))
const logs = leaf('Show what a container has written', () => import('./logs.ts'))
const pause = leaf('Freeze all processes of containers', () => import('./pause.ts'))
const port = leaf('List the published ports of a container', () => import('./port.ts'))
const ps = leaf('List containers', () => import('./ps.ts'))
const pull = leaf('Fetch an image from a registry', () => import('./pull.ts'))
const push = leaf('Send an image to a registry', () => import('./push.ts'))
const rename = leaf('Give a container another name', () => import('./rename.ts'))
const restart = leaf('Restart containers', () => import('./restart.ts'))
const rm = leaf('Remove containers', () => import('./rm.ts'))
const rmi = leaf('Remove images', () => import('./rmi.ts'))
const run = leaf('Create a container from an image and start it', () => import('./run.ts'))
const save = leaf('Write images to a tar archive', () => import('./save.ts'))
const start = leaf('Start stopped containers', () => import('./start.ts'))
const stats = leaf('Show what containers use, live', () => import('./stats.ts'))
const stop = leaf('Stop running containers', () => import('./stop.ts'))
const tag = leaf('Give an image another name', () => import('./tag.ts'))
const top = leaf("Show a container's processes", () => import('./top.ts'))
const unpause = leaf('Thaw all processes of containers', () => import('./unpause.ts'))
const update = leaf('Change limits and restart policy of containers', () => import('./update.ts'))
const wait = leaf('Wait until containers stop and print their exit codes', () => import('./wait.ts'))

const why = leaf('Tell why the last runs of a container ended (dockerd-ts only)', () => import('./why.ts'))

const lsAndRm = { list: 'ls', remove: 'rm' }

const container: Group = {
  short: 'Manage containers',
  aliases: { ...lsAndRm, ps: 'ls' },
  commands: {
    attach,
    commit,
    cp,
    create,
    diff,
    exec,
    export: exportCommand,
    inspect: leaf('Show all details of containers', () => import('./container-inspect.ts')),
    kill,
    logs,
    ls: ps,
    pause,
    port,
    prune: leaf('Remove all stopped containers', () => import('./container-prune.ts')),
    rename,
    restart,
    rm,
    run,
    start,
    stats,
    stop,
    top,
    unpause,
    update,
    wait,
    why,
  },
}

const image: Group = {
  short: 'Manage images',
  aliases: lsAndRm,
  commands: {
    history,
    import: importCommand,
    inspect: leaf('Show all details of images', () => import('./image-inspect.ts')),
    load,
    ls: images,
    prune: leaf('Remove unused images', () => import('./image-prune.ts')),
    pull,
    push,
    rm: rmi,
    save,
    tag,
  },
}

const manifest: Group = {
  short: 'Manage image manifests and manifest lists',
  commands: {
    annotate: leaf('Add additional information to a local image manifest', () => import('./manifest-annotate.ts')),
    create: leaf(
      'Create a local manifest list for annotating and pushing to a registry',
      () => import('./manifest-create.ts'),
    ),
    inspect: leaf('Display an image manifest, or manifest list', () => import('./manifest-inspect.ts')),
    push: leaf('Push a manifest list to a repository', () => import('./manifest-push.ts')),
    rm: leaf('Delete one or more manifest lists from local storage', () => import('./manifest-rm.ts')),
  },
}

const network: Group = {
  short: 'Manage networks',
  aliases: lsAndRm,
  commands: {
    connect: leaf('Connect a container to a network', () => import('./network-connect.ts')),
    create: leaf('Create a network', () => import('./network-create.ts')),
    disconnect: leaf('Disconnect a container from a network', () => import('./network-disconnect.ts')),
    inspect: leaf('Show all details of networks', () => import('./network-inspect.ts')),
    ls: leaf('List networks', () => import('./network-ls.ts')),
    prune: leaf('Remove all unused networks', () => import('./network-prune.ts')),
    rm: leaf('Remove networks', () => import('./network-rm.ts')),
  },
}

const volume: Group = {
  short: 'Manage volumes',
  aliases: lsAndRm,
  commands: {
    create: leaf('Create a volume', () => import('./volume-create.ts')),
    inspect: leaf('Show all details of volumes', () => import('./volume-inspect.ts')),
    ls: leaf('List volumes', () => import('./volume-ls.ts')),
    prune: leaf('Remove unused local volumes', () => import('./volume-prune.ts')),
    rm: leaf('Remove volumes', () => import('./volume-rm.ts')),
  },
}

const system: Group = {
  short: 'Manage the daemon as a whole',
  commands: {
    df: leaf('Show how much disk the daemon uses', () => import('./system-df.ts')),
    'dial-stdio': leaf('Connect standard input and output to the daemon', () => import('./system-dial-stdio.ts'), true),
    events,
    fsck: leaf("Check the daemon's files against its records", () => import('./system-fsck.ts')),
    info,
    prune: leaf('Remove unused data', () => import('./system-prune.ts')),
  },
}

const context: Group = {
  short: 'Manage contexts',
  aliases: lsAndRm,
  commands: {
    create: leaf('Create a context', () => import('./context-create.ts')),
    inspect: leaf('Show all details of contexts', () => import('./context-inspect.ts')),
    ls: leaf('List contexts', () => import('./context-ls.ts')),
    rm: leaf('Remove contexts', () => import('./context-rm.ts')),
    show: leaf('Print the name of the context in use', () => import('./context-show.ts')),
    update: leaf('Change a context', () => import('./context-update.ts')),
    use: leaf('Choose the context to use from now on', () => import('./context-use.ts')),
  },
}

const builder: Group = {
  short: 'Manage builds',
  commands: { prune: leaf('Remove build cache', () => import('./builder-prune.ts')) },
}

export const root: Group = {
  short: 'Containers from images, run by a daemon',
  commands: {
    run,
    exec,
    ps,
    pull,
    push,
    images,
    login: leaf('Log in to a registry', () => import('./login.ts')),
    logout: leaf('Log out from a registry', () => import('./logout.ts')),
    search: leaf('Search Docker Hub for images', () => import('./search.ts')),
    version: leaf('Show the versions of client and daemon', () => import('./version-command.ts')),
    info,
    builder,
    container,
    context,
    image,
    manifest,
    network,
    system,
    volume,
    attach,
    commit,
    cp,
    create,
    diff,
    events,
    export: exportCommand,
    history,
    import: importCommand,
    inspect: leaf('Show all details of Docker objects', () => import('./inspect.ts')),
    kill,
    load,
    logs,
    pause,
    port,
    rename,
    restart,
    rm,
    rmi,
    save,
    start,
    stats,
    stop,
    tag,
    top,
    unpause,
    update,
    wait,
    why,
  },
}

/** The commands that help puts first, in its order. */
export const commonCommands = [
  'run',
  'exec',
  'ps',
  'pull',
  'push',
  'images',
  'login',
  'logout',
  'search',
  'version',
  'info',
]

export const isGroup = (entry: Leaf | Group): entry is Group => 'commands' in entry

export interface Found {
  /** The canonical words so far, without the program's name. */
  path: string
  group: Group
  leaf: Leaf | undefined
  rest: string[]
}

/** Follows `words` down the tree as far as they name commands. */
export function findCommand(words: readonly string[]): Found {
  let group = root
  const path: string[] = []
  for (const [index, word] of words.entries()) {
    const name = group.aliases?.[word] ?? word
    const entry = Object.hasOwn(group.commands, name) ? group.commands[name] : undefined
    if (!entry) return { path: path.join(' '), group, leaf: undefined, rest: words.slice(index) }
    path.push(name)
    if (!isGroup(entry)) return { path: path.join(' '), group, leaf: entry, rest: words.slice(index + 1) }
    group = entry
  }
  return { path: path.join(' '), group, leaf: undefined, rest: [] }
}
