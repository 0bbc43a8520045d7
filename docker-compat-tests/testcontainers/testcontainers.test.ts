/** testcontainers (Node): wait strategies, mapped ports, exec, logs, files, networks, restart. */
import t from 'tap'
import { image, leavesNothing, startWithImage, text } from '../support/sdk.ts'

const daemon = await startWithImage()
// Read when the library is loaded or first used. Ryuk is an image of its own, which no registry here has.
process.env.DOCKER_HOST = `unix://${daemon.socket}`
process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'
process.env.TESTCONTAINERS_HOST_OVERRIDE = '127.0.0.1'
process.env.DOCKER_CONFIG = '/nonexistent'
const { GenericContainer, getContainerRuntimeClient, Network, Wait } = await import('testcontainers')

const webServer = ['sh', '-c', 'echo page >/var/www/index.html; echo serving; exec httpd -f -p 80 -h /var/www']

t.test('a mapped port answers once the log message was seen', async (t) => {
  const container = await new GenericContainer(image)
    .withCommand(webServer)
    .withExposedPorts(80)
    .withWaitStrategy(Wait.forLogMessage('serving'))
    .start()
  t.match(container.getId(), /^[0-9a-f]{64}$/)
  t.ok(container.getMappedPort(80) > 0)
  await container.stop()
})

t.test('wait for HTTP, for listening ports, for a command', async (t) => {
  const base = () => new GenericContainer(image).withCommand(webServer).withExposedPorts(80)
  const byHttp = await base().withWaitStrategy(Wait.forHttp('/index.html', 80)).start()
  const page = await fetch(`http://${byHttp.getHost()}:${byHttp.getMappedPort(80)}/index.html`)
  t.same([page.status, await page.text()], [200, 'page\n'])
  await byHttp.stop()
  const byPort = await base().withWaitStrategy(Wait.forListeningPorts()).start()
  t.equal((await fetch(`http://127.0.0.1:${byPort.getMappedPort(80)}/index.html`)).status, 200)
  await byPort.stop()
  const byCommand = await base().withWaitStrategy(Wait.forSuccessfulCommand('test -s /var/www/index.html')).start()
  t.equal((await byCommand.exec(['cat', '/var/www/index.html'])).output, 'page\n')
  await byCommand.stop()
})

t.test('wait for a container that runs once; one that fails is told', async (t) => {
  const once = new GenericContainer(image).withWaitStrategy(Wait.forOneShotStartup())
  const done = await once.withCommand(['true']).start()
  await done.stop()
  const failing = new GenericContainer(image).withWaitStrategy(Wait.forOneShotStartup()).withCommand(['false'])
  await t.rejects(failing.start(), /Container failed to start/)
})

t.test('exec: output, streams apart, exit code, user, environment, directory', async (t) => {
  const container = await new GenericContainer(image)
    .withCommand(['sleep', '1000'])
    .withEnvironment({ OUTER: 'outer' })
    .withLabels({ kind: 'sdk' })
    .withName('tc-exec')
    .start()
  const result = await container.exec(['sh', '-c', 'echo $OUTER $INNER $PWD $(id -un); echo err >&2; exit 4'], {
    user: 'user',
    workingDir: '/tmp',
    env: { INNER: 'inner' },
  })
  t.match(result, { stdout: 'outer inner /tmp user\n', stderr: 'err\n', exitCode: 4 })
  t.match(result.output, 'outer inner')
  t.equal(container.getName(), '/tc-exec')
  t.equal(container.getLabels().kind, 'sdk')
  await container.stop()
})

t.test('logs are streamed; a restart keeps the container', async (t) => {
  const container = await new GenericContainer(image)
    // dockerd notes the start after the process runs: what is said at once may be older than that.
    .withCommand(['sh', '-c', 'sleep 0.5; echo line one; echo line two; exec sleep 1000'])
    .withWaitStrategy(Wait.forLogMessage('line two'))
    .start()
  const id = container.getId()
  await container.restart({ timeout: 0 })
  t.equal(container.getId(), id)
  const logs = await container.logs()
  const whole = text(logs)
  await container.stop({ remove: false, timeout: 0 })
  t.match(await whole, /line one[\s\S]*line two/)
})

t.test('files are copied in before and after the start, and out', async (t) => {
  const container = await new GenericContainer(image)
    .withCopyContentToContainer([{ content: 'before', target: '/tmp/before' }])
    .withCommand(['sleep', '1000'])
    .start()
  await container.copyContentToContainer([{ content: 'after', target: '/tmp/after' }])
  t.equal((await container.exec(['cat', '/tmp/before', '/tmp/after'])).output, 'beforeafter')
  t.match(await text(await container.copyArchiveFromContainer('/tmp/after')), 'after')
  await container.stop()
})

t.test('wait for a health check', async (t) => {
  const healthCheck = { test: ['CMD-SHELL', 'test -e /tmp/ready'] as ['CMD-SHELL', string], interval: 100, retries: 50 }
  const container = await new GenericContainer(image)
    .withCommand(['sh', '-c', 'sleep 0.5; touch /tmp/ready; exec sleep 1000'])
    .withHealthCheck({ ...healthCheck, timeout: 1000 })
    .withWaitStrategy(Wait.forHealthCheck())
    .start()
  t.equal((await container.exec(['test', '-e', '/tmp/ready'])).exitCode, 0)
  await container.stop()
})

t.test('commit, attach and events, by the client below', async (t) => {
  const container = await new GenericContainer(image)
    .withCommand(['sh', '-c', 'touch /made; echo started; exec sleep 1000'])
    .withWaitStrategy(Wait.forLogMessage('started'))
    .start()
  const client = await getContainerRuntimeClient()
  const below = client.container.getById(container.getId())
  const events = await client.container.events(below, ['kill'])
  const told = new Promise<string>((resolve) => events.once('data', (chunk) => resolve(String(chunk))))
  const output = await client.container.attach(below)
  const committed = await container.commit({ repo: 'committed', tag: '1', deleteOnExit: false })
  t.match(committed, /^(sha256:)?[0-9a-f]{64}$/)
  const again = await new GenericContainer('committed:1').withCommand(['test', '-e', '/made']).start()
  await again.stop()
  await below.kill({ signal: 'SIGKILL' })
  t.match(JSON.parse(await told), { Action: 'kill', Actor: { ID: container.getId() } })
  t.equal(await text(output), '')
  await container.stop()
})

t.test('containers of one network; volumes and limits', async (t) => {
  const network = await new Network().start()
  const server = await new GenericContainer(image)
    .withNetwork(network)
    .withNetworkAliases('server')
    .withCommand(webServer)
    .withTmpFs({ '/scratch': 'rw' })
    .withResourcesQuota({ memory: 0.1 })
    .withWaitStrategy(Wait.forLogMessage('serving'))
    .start()
  const client = await new GenericContainer(image).withNetwork(network).withCommand(['sleep', '1000']).start()
  const address = server.getIpAddress(network.getName())
  t.match((await client.exec(['wget', '-qO-', `http://${address}/index.html`])).output, 'page\n')
  t.equal((await server.exec(['touch', '/scratch/x'])).exitCode, 0)
  await client.stop()
  await server.stop()
  await network.stop()
})

leavesNothing(t, daemon)
