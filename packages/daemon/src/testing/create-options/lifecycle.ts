/** Stopping, restarting, health, logs. */
import { configShows, hostRefuses, hostShows, type Row, refuses, shows } from './row.ts'

const second = 1_000_000_000
const checked = { Test: ['CMD', 'true'] }
const health = (field: string, value: unknown, at: Readonly<Record<string, unknown>> = {}) =>
  shows(
    `Healthcheck.${field}`,
    value,
    { [`inspect.Config.Healthcheck.${field}`]: value, ...at },
    { with: { Healthcheck: checked } },
  )
const tooShort = (field: string) =>
  refuses(`Healthcheck.${field}`, 1000, [400, `${field} in Healthcheck cannot be less than 1ms`], {
    with: { Healthcheck: checked },
  })
const log = { with: { HostConfig: { LogConfig: { Type: 'json-file' } }, Labels: { a: 'b' } } }
const logShows = (config: object, at: Readonly<Record<string, unknown>>) =>
  shows('HostConfig.LogConfig.Config', config, { 'inspect.HostConfig.LogConfig.Config': config, ...at }, log)
const logRefuses = (config: object, text: string) => refuses('HostConfig.LogConfig.Config', config, [400, text], log)

const stopping: readonly Row[] = [
  configShows('StopSignal', 'SIGUSR1', { 'stop.signals': [10, 9] }),
  refuses('StopSignal', 'nonsense', [400, 'invalid signal: nonsense']),
  configShows('StopTimeout', 3, { 'stop.patienceMs': 3000 }),
  hostShows('AutoRemove', true, { ended: 'gone' }),
  hostRefuses('AutoRemove', true, [400, "can't create 'AutoRemove' container with restart policy"], {
    with: { HostConfig: { RestartPolicy: { Name: 'always' } } },
  }),
  hostShows('RestartPolicy.Name', 'always', { ended: 'restarting' }),
  hostShows('RestartPolicy.Name', 'unless-stopped', { ended: 'restarting' }),
  hostShows('RestartPolicy.Name', 'on-failure', { ended: 'restarting' }),
  hostRefuses('RestartPolicy.Name', 'nonsense', [
    400,
    "invalid restart policy: unknown policy 'nonsense'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  ]),
  hostShows(
    'RestartPolicy.MaximumRetryCount',
    3,
    {},
    {
      with: { HostConfig: { RestartPolicy: { Name: 'on-failure' } } },
    },
  ),
  hostRefuses(
    'RestartPolicy.MaximumRetryCount',
    3,
    [400, "invalid restart policy: maximum retry count can only be used with 'on-failure'"],
    { with: { HostConfig: { RestartPolicy: { Name: 'always' } } } },
  ),
  hostShows('ContainerIDFile', '/run/x.cid', {}),
]

const healthChecks: readonly Row[] = [
  shows('Healthcheck.Test', ['CMD', 'true'], {
    'inspect.Config.Healthcheck.Test': ['CMD', 'true'],
    'inspect.State.Health.Status': 'starting',
    'health.firstAfterMs': 30_000,
  }),
  health('Interval', 2 * second, { 'health.firstAfterMs': 2000 }),
  tooShort('Interval'),
  health('Timeout', 2 * second, { 'health.timeoutMs': 2000 }),
  tooShort('Timeout'),
  health('StartPeriod', 60 * second, { 'health.firstAfterMs': 5000 }),
  tooShort('StartPeriod'),
  shows(
    'Healthcheck.StartInterval',
    3 * second,
    { 'inspect.Config.Healthcheck.StartInterval': 3 * second, 'health.firstAfterMs': 3000 },
    { with: { Healthcheck: { ...checked, StartPeriod: 60 * second } } },
  ),
  tooShort('StartInterval'),
  health('Retries', 5, { 'health.failures': 5 }),
  refuses('Healthcheck.Retries', -1, [400, 'Retries in Healthcheck cannot be negative'], {
    with: { Healthcheck: checked },
  }),
]

const logging: readonly Row[] = [
  hostShows('LogConfig.Type', 'none', { 'monitor.log': undefined, 'inspect.LogPath': '' }),
  hostShows('LogConfig.Type', 'local', { 'monitor.log.compress': true, 'inspect.LogPath': '' }),
  hostRefuses('LogConfig.Type', 'nonsense', [
    400,
    'error looking up logging plugin nonsense: plugin "nonsense" not found',
  ]),
  logShows({ 'max-size': '1m' }, { 'monitor.log.maxSizeBytes': 1024 * 1024, 'monitor.log.maxFiles': 1 }),
  logShows({ 'max-size': '1m', 'max-file': '3' }, { 'monitor.log.maxFiles': 3 }),
  logShows({ 'max-size': '1m', 'max-file': '3', compress: 'true' }, { 'monitor.log.compress': true }),
  logShows({ labels: 'a' }, { 'monitor.log.attributesJson': '{"a":"b"}' }),
  logShows({ tag: '{{.Name}}' }, { 'monitor.log.attributesJson': '{"tag":"web"}' }),
  logRefuses({ nonsense: '1' }, "unknown log opt 'nonsense' for json-file log driver"),
  logRefuses({ mode: 'nonsense' }, 'logger: logging mode not supported: nonsense'),
  logRefuses({ 'max-file': '0' }, 'max-file cannot be less than 1'),
]

export const lifecycleRows: readonly Row[] = [...stopping, ...healthChecks, ...logging]
