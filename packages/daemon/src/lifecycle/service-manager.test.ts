import t from 'tap'
import { ServiceManager, takeServiceEnvironment } from './service-manager.ts'

t.test('the environment is read, and taken away from what we start', async (t) => {
  const environment = {
    NOTIFY_SOCKET: '/run/systemd/notify',
    WATCHDOG_USEC: '30000000',
    WATCHDOG_PID: '42',
    LISTEN_PID: '42',
    LISTEN_FDS: '2',
    LISTEN_FDNAMES: 'a:b',
    DOCKERD_TS_SOFT_NOFILE: '1024',
    PATH: '/bin',
  }
  t.same(takeServiceEnvironment({ ...environment }, 42), {
    notifySocket: '/run/systemd/notify',
    watchdogUs: 30_000_000,
    listenDescriptors: [3, 4],
    softNofile: '1024',
  })
  const taken = { ...environment }
  t.same(takeServiceEnvironment(taken, 41), {
    notifySocket: '/run/systemd/notify',
    watchdogUs: 0,
    listenDescriptors: [],
    softNofile: '1024',
  })
  t.same(taken, { PATH: '/bin' })
})

t.test('ready, reload and end are told; a failure is reported and stops nothing', async (t) => {
  const sent: string[] = []
  const errors: unknown[] = []
  let failure: Error | undefined
  const manager = new ServiceManager({
    environment: { notifySocket: '@x', watchdogUs: 0 },
    async send(socket, bytes) {
      if (failure) throw failure
      sent.push(`${socket} ${bytes.toString().replace(/MONOTONIC_USEC=\d+/, 'MONOTONIC_USEC=n')}`)
    },
    checkHealth: async () => {},
    systemState: async () => 'stopping',
    onError: (error) => void errors.push(error),
  })
  await manager.ready()
  await manager.reload(async () => void sent.push('reloaded'))
  t.equal(await manager.systemIsStopping(), true)
  await manager.stopping()
  t.same(sent, [
    '@x READY=1\nSTATUS=Serving the API',
    '@x RELOADING=1\nMONOTONIC_USEC=n',
    'reloaded',
    '@x READY=1',
    '@x STOPPING=1\nSTATUS=Stopping; containers run on',
  ])
  failure = new Error('gone')
  await manager.ready()
  t.same(errors, [failure])
})

t.test('the watchdog is fed only while the daemon is well', async (t) => {
  let well = true
  const fed: string[] = []
  const manager = new ServiceManager({
    environment: { notifySocket: '@x', watchdogUs: 20_000 },
    send: async (_socket, bytes) => void fed.push(bytes.toString()),
    checkHealth: async () => {
      if (!well) throw new Error('ill')
    },
    systemState: async () => '',
    onError: () => void fed.push('error'),
  })
  await manager.ready()
  const until = async (count: number) => {
    const start = fed.length
    while (fed.length < start + count) await new Promise((resolve) => setTimeout(resolve, 5))
    return fed.slice(start)
  }
  t.same(await until(2), ['WATCHDOG=1', 'WATCHDOG=1'])
  well = false
  await until(1)
  t.same(await until(2), ['error', 'error'])
  await manager.stopping()
})

t.test('without a service manager nothing is sent', async (t) => {
  const manager = new ServiceManager({
    environment: { notifySocket: undefined, watchdogUs: 1_000 },
    send: async () => void t.fail('nobody is there'),
    checkHealth: async () => {},
    systemState: async () => 'stopping',
    onError: () => undefined,
  })
  await manager.ready()
  await manager.reload(async () => {})
  t.equal(await manager.systemIsStopping(), false)
  await manager.stopping()
})
