/** Mounts, volumes and the root filesystem. */
import { configShows, hostRefuses, hostShows, type Row, refuses, shows } from './row.ts'

const bind = { Type: 'bind', Source: '/etc', Target: '/x' }
const volume = { Type: 'volume', Source: 'vol', Target: '/x' }
const tmpfs = { Type: 'tmpfs', Target: '/x' }
const withMount = (mount: object) => ({ with: { HostConfig: { Mounts: [mount] } } })
const mountShows = (mount: object, field: string, value: unknown, at: Readonly<Record<string, unknown>>) =>
  shows(`HostConfig.Mounts[].${field}`, value, at, withMount(mount))
const mountRefuses = (mount: object, field: string, value: unknown, text: string) =>
  refuses(`HostConfig.Mounts[].${field}`, value, [400, text], withMount(mount))
/** The user's first mount, after the runtime's own. */
const mounted = 'spec.mounts.7'
const shown = 'inspect.Mounts.0'

const fromLists: readonly Row[] = [
  hostShows('Binds', ['/etc:/x:ro'], {
    [mounted]: { destination: '/x', type: 'bind', source: '/etc', options: ['rbind', 'rro', 'rprivate'] },
    [`${shown}.RW`]: false,
    [`${shown}.Mode`]: 'ro',
    [`${shown}.Propagation`]: 'rprivate',
  }),
  hostShows('Binds', ['/made:/x'], { made: ['/made'] }),
  hostShows('Binds', ['vol:/x'], {
    [mounted]: { destination: '/x', type: 'bind', source: '/volumes/vol/_data', options: ['rbind'] },
    [`${shown}.Name`]: 'vol',
    'volumes.1.name': 'vol',
  }),
  hostRefuses('Binds', ['/etc:/x:nonsense'], [400, 'invalid mode: nonsense']),
  hostRefuses(
    'Binds',
    ['/etc:/'],
    [
      400,
      "invalid volume specification: '/etc:/': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
    ],
  ),
  hostShows('VolumesFrom', ['peer'], {
    [mounted]: { destination: '/shared', type: 'bind', source: '/volumes/shared/_data', options: ['rbind'] },
    [`${shown}.Destination`]: '/shared',
  }),
  hostRefuses('VolumesFrom', ['nobody'], [400, 'No such container: nobody']),
  hostShows('VolumeDriver', 'local', {}, { with: { HostConfig: { Binds: ['vol:/x'] } } }),
  hostRefuses(
    'VolumeDriver',
    'nonsense',
    [404, 'create vol: error looking up volume plugin nonsense: plugin "nonsense" not found'],
    { with: { HostConfig: { Binds: ['vol:/x'] } } },
  ),
  configShows('Volumes', { '/x': {} }, { [`${mounted}.destination`]: '/x', [`${shown}.Type`]: 'volume' }),
  hostShows(
    'Tmpfs',
    { '/x': 'size=1m' },
    {
      [mounted]: {
        destination: '/x',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['noexec', 'nosuid', 'nodev', 'rprivate', 'size=1m'],
      },
    },
  ),
  hostRefuses('Tmpfs', { x: '' }, [400, "invalid mount path: 'x' mount path must be absolute"]),
  hostRefuses('Tmpfs', { '/x': 'nonsense' }, [500, 'invalid tmpfs option "nonsense"']),
  hostShows('ShmSize', 1024 * 1024, { 'spec.mounts.6.options.4': 'size=1048576' }),
  hostRefuses('ShmSize', -1, [400, 'SHM size can not be less than 0']),
  hostRefuses('StorageOpt', { size: '1G' }, [
    500,
    "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
  ]),
  hostRefuses('StorageOpt', { nonsense: '1' }, [500, 'Unknown option nonsense']),
]

const mounts: readonly Row[] = [
  mountShows({ Type: 'volume', Target: '/x' }, 'Type', 'tmpfs', {
    [`${shown}.Type`]: 'tmpfs',
    [`${mounted}.type`]: 'tmpfs',
  }),
  mountRefuses(
    { Source: '/etc', Target: '/x' },
    'Type',
    'npipe',
    'invalid mount config for type "npipe": mount type unknown',
  ),
  mountShows(bind, 'Source', '/srv', { [`${mounted}.source`]: '/srv', [`${shown}.Source`]: '/srv' }),
  mountRefuses(
    bind,
    'Source',
    '/no/such',
    'invalid mount config for type "bind": bind source path does not exist: /no/such',
  ),
  mountShows(bind, 'Target', '/y', { [`${mounted}.destination`]: '/y', [`${shown}.Destination`]: '/y' }),
  mountRefuses(
    bind,
    'Target',
    'y',
    'invalid mount config for type "bind": invalid mount path: \'y\' mount path must be absolute',
  ),
  mountShows(bind, 'ReadOnly', true, { [`${mounted}.options.1`]: 'rro', [`${shown}.RW`]: false }),
  mountShows(bind, 'Consistency', 'cached', { 'inspect.HostConfig.Mounts.0.Consistency': 'cached' }),
]

const bindOptions: readonly Row[] = [
  mountShows(bind, 'BindOptions.Propagation', 'rslave', {
    [`${mounted}.options.1`]: 'rslave',
    [`${shown}.Propagation`]: 'rslave',
    'spec.linux.rootfsPropagation': 'rslave',
  }),
  mountRefuses(
    bind,
    'BindOptions.Propagation',
    'nonsense',
    'invalid mount config for type "bind": invalid propagation mode: nonsense',
  ),
  mountRefuses(volume, 'BindOptions.Propagation', 'rslave', 'BindOptions must not be specified on mount type "volume"'),
  mountShows(bind, 'BindOptions.NonRecursive', true, { [`${mounted}.options.0`]: 'bind' }),
  shows(
    'HostConfig.Mounts[].BindOptions.CreateMountpoint',
    true,
    { made: ['/made'], [`${mounted}.source`]: '/made' },
    { ...withMount({ ...bind, Source: '/made' }), neededToStart: true },
  ),
  mountShows({ ...bind, ReadOnly: true }, 'BindOptions.ReadOnlyNonRecursive', true, { [`${mounted}.options.1`]: 'ro' }),
  mountShows({ ...bind, ReadOnly: true }, 'BindOptions.ReadOnlyForceRecursive', true, {
    'inspect.HostConfig.Mounts.0.BindOptions.ReadOnlyForceRecursive': true,
  }),
  // Found at the start, as in dockerd: no wrong request, but one that cannot be kept.
  refuses(
    'HostConfig.Mounts[].BindOptions.ReadOnlyForceRecursive',
    true,
    [500, 'mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive'],
    withMount(bind),
  ),
]

const volumeOptions: readonly Row[] = [
  mountShows(volume, 'VolumeOptions.NoCopy', true, { 'volumeCalls.0': 'mount vol a container’s id' }),
  mountShows(volume, 'VolumeOptions.Labels', { a: 'b' }, { 'volumes.1.labels': { a: 'b' } }),
  mountShows(volume, 'VolumeOptions.Subpath', 'sub', { [`${mounted}.source`]: '/volumes/vol/_data/sub' }),
  mountRefuses(
    volume,
    'VolumeOptions.Subpath',
    '../x',
    'invalid mount config for type "volume": subpath must be a relative path within the volume',
  ),
  refuses(
    'HostConfig.Mounts[].VolumeOptions.DriverConfig.Name',
    'nonsense',
    [404, 'create vol: error looking up volume plugin nonsense: plugin "nonsense" not found'],
    withMount(volume),
  ),
  mountShows(
    volume,
    'VolumeOptions.DriverConfig.Options',
    { type: 'tmpfs', device: 'tmpfs' },
    { 'volumes.1.options': { type: 'tmpfs', device: 'tmpfs' } },
  ),
]

const tmpfsOptions: readonly Row[] = [
  mountShows(tmpfs, 'TmpfsOptions.SizeBytes', 2 * 1024 * 1024, { [`${mounted}.options.4`]: 'size=2m' }),
  mountShows(tmpfs, 'TmpfsOptions.Mode', 0o700, { [`${mounted}.options.4`]: 'mode=700' }),
  mountShows(tmpfs, 'TmpfsOptions.Options', [['exec']], {
    [`${mounted}.options`]: ['nosuid', 'nodev', 'rprivate', 'exec'],
  }),
]

const image = { Type: 'image', Source: 'busybox', Target: '/x' }

const elsewhere: readonly Row[] = [
  mountShows(image, 'ImageOptions.Subpath', 'etc', {
    [`${mounted}.source`]: '/data/containers/a container’s id/images/x/etc',
  }),
  refuses('HostConfig.Mounts[].Source', 'nobody', [404, 'No such image: nobody:latest'], withMount(image)),
  mountShows({ ...bind, Source: 'busybox', Type: 'volume' }, 'Type', 'image', {
    [`${mounted}.source`]: '/data/containers/a container’s id/images/x',
    [`${shown}.Type`]: 'image',
    [`${shown}.RW`]: false,
  }),
  mountRefuses(image, 'Source', '', 'invalid mount config for type "image": field Source must not be empty'),
  mountRefuses(
    image,
    'ImageOptions.Subpath',
    '../x',
    'invalid mount config for type "image": subpath must be a relative path within the volume',
  ),
  mountRefuses(bind, 'ImageOptions.Subpath', 'sub', 'ImageOptions must not be specified on mount type "bind"'),
  mountRefuses(
    bind,
    'ClusterOptions',
    {},
    'invalid mount config for type "bind": field ClusterOptions must not be specified',
  ),
]

export const storageRows: readonly Row[] = [
  ...fromLists,
  ...mounts,
  ...bindOptions,
  ...volumeOptions,
  ...tmpfsOptions,
  ...elsewhere,
]
