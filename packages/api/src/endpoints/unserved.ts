/**
 * Operations that are answered with an error, and which: Docker's own words where Docker, too, would refuse, and a
 * clear `not implemented` otherwise. `{name}` in a message is replaced by the path parameter.
 */

export interface UnservedOperation {
  readonly method: string
  readonly path: `/${string}`
  readonly operation: string
  readonly kind: 'unavailable' | 'notImplemented' | 'notFound'
  readonly message: string
}

type Row = readonly [method: string, path: `/${string}`, operation: string]

const refuse = (kind: UnservedOperation['kind'], message: string, rows: readonly Row[]): UnservedOperation[] =>
  rows.map(([method, path, operation]) => ({ method, path, operation, kind, message }))

const notSwarmManager =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'

const swarmOperations: readonly Row[] = [
  ['GET', '/nodes', 'NodeList'],
  ['GET', '/nodes/{id}', 'NodeInspect'],
  ['DELETE', '/nodes/{id}', 'NodeDelete'],
  ['POST', '/nodes/{id}/update', 'NodeUpdate'],
  ['GET', '/swarm', 'SwarmInspect'],
  ['POST', '/swarm/init', 'SwarmInit'],
  ['POST', '/swarm/join', 'SwarmJoin'],
  ['POST', '/swarm/update', 'SwarmUpdate'],
  ['GET', '/swarm/unlockkey', 'SwarmUnlockkey'],
  ['POST', '/swarm/unlock', 'SwarmUnlock'],
  ['GET', '/services', 'ServiceList'],
  ['POST', '/services/create', 'ServiceCreate'],
  ['GET', '/services/{id}', 'ServiceInspect'],
  ['DELETE', '/services/{id}', 'ServiceDelete'],
  ['POST', '/services/{id}/update', 'ServiceUpdate'],
  ['GET', '/services/{id}/logs', 'ServiceLogs'],
  ['GET', '/tasks', 'TaskList'],
  ['GET', '/tasks/{id}', 'TaskInspect'],
  ['GET', '/tasks/{id}/logs', 'TaskLogs'],
  ['GET', '/secrets', 'SecretList'],
  ['POST', '/secrets/create', 'SecretCreate'],
  ['GET', '/secrets/{id}', 'SecretInspect'],
  ['DELETE', '/secrets/{id}', 'SecretDelete'],
  ['POST', '/secrets/{id}/update', 'SecretUpdate'],
  ['GET', '/configs', 'ConfigList'],
  ['POST', '/configs/create', 'ConfigCreate'],
  ['GET', '/configs/{id}', 'ConfigInspect'],
  ['DELETE', '/configs/{id}', 'ConfigDelete'],
  ['POST', '/configs/{id}/update', 'ConfigUpdate'],
]

export const unservedOperations: readonly UnservedOperation[] = [
  ...refuse('unavailable', notSwarmManager, swarmOperations),
  ...refuse('unavailable', 'This node is not part of a swarm', [['POST', '/swarm/leave', 'SwarmLeave']]),
  ...refuse('unavailable', 'volume update only valid for cluster volumes, but swarm is unavailable', [
    ['PUT', '/volumes/{name}', 'VolumeUpdate'],
  ]),
  ...refuse('notFound', 'plugin "{name}" not found', [
    ['GET', '/plugins/{name}/json', 'PluginInspect'],
    ['DELETE', '/plugins/{name}', 'PluginDelete'],
    ['POST', '/plugins/{name}/enable', 'PluginEnable'],
    ['POST', '/plugins/{name}/disable', 'PluginDisable'],
    ['POST', '/plugins/{name}/upgrade', 'PluginUpgrade'],
    ['POST', '/plugins/{name}/push', 'PluginPush'],
    ['POST', '/plugins/{name}/set', 'PluginSet'],
  ]),
  ...refuse('notImplemented', 'plugins are not supported by this engine', [
    ['GET', '/plugins/privileges', 'GetPluginPrivileges'],
    ['POST', '/plugins/pull', 'PluginPull'],
    ['POST', '/plugins/create', 'PluginCreate'],
  ]),
  ...refuse('notImplemented', 'building images is not supported by this engine yet', [
    ['POST', '/build', 'ImageBuild'],
    ['POST', '/build/cancel', 'BuildCancel'],
    ['POST', '/session', 'Session'],
    ['POST', '/grpc', 'Grpc'],
  ]),
  ...refuse(
    'notImplemented',
    'This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it.',
    [
      ['GET', '/containers/{id}/checkpoints', 'CheckpointList'],
      ['POST', '/containers/{id}/checkpoints', 'CheckpointCreate'],
      ['DELETE', '/containers/{id}/checkpoints/{checkpoint}', 'CheckpointDelete'],
    ],
  ),
]
