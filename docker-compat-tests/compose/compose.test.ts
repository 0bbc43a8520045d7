/** Docker Compose v2 on the daemon: a project of two services, from up to down. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../support/programs.ts'
import { dockerode, image, leavesNothing, onReference, startWithImage } from '../support/sdk.ts'

const places = [
  process.env.DOCKER_COMPOSE,
  ...['/usr/local/lib', '/usr/local/libexec', '/usr/lib', '/usr/libexec'].map(
    (directory) => `${directory}/docker/cli-plugins/docker-compose`,
  ),
]
const program = places.find((path) => path !== undefined && existsSync(path))

const noNames = !onReference && 'the engine has no DNS server yet: names of containers are not resolved'

const project = `
name: judged
services:
  web:
    image: ${image}
    command: sh -c 'echo page >/var/www/index.html; echo serving; exec httpd -f -p 80 -h /var/www'
    stop_signal: SIGKILL
    environment: { GREETING: hello }
    labels: { role: web }
    volumes: ['data:/data']
    ports: ['127.0.0.1::80']
  worker:
    image: ${image}
    command: sh -c 'echo working; exec sleep 1000'
    stop_signal: SIGKILL
    depends_on: [web]
volumes:
  data: {}
`

if (program === undefined) t.pass('not run', { skip: 'no Compose v2 plugin (DOCKER_COMPOSE names one)' })
else await judge(program)

async function judge(program: string): Promise<void> {
  const daemon = await startWithImage()
  const docker = dockerode(daemon)
  const directory = mkdtempSync(join(tmpdir(), 'dts-compose-'))
  writeFileSync(join(directory, 'compose.yaml'), project)
  const compose = (...argv: string[]) =>
    run(program, argv, { cwd: directory, environment: { DOCKER_HOST: `unix://${daemon.socket}`, HOME: directory } })
  const names = async () => (await docker.listContainers({ all: true })).flatMap(({ Names }) => Names).sort()

  t.test('up starts the services with their network and volume', async (t) => {
    const up = await compose('up', '-d')
    t.equal(up.status, 0, up.stderr)
    t.same(await names(), ['/judged-web-1', '/judged-worker-1'])
    t.ok((await docker.listNetworks()).some(({ Name }) => Name === 'judged_default'))
    t.same(
      (await docker.listVolumes()).Volumes.map(({ Name }) => Name),
      ['judged_data'],
    )
  })

  t.test('a second up finds everything up to date', async (t) => {
    const before = (await docker.listContainers()).map(({ Id }) => Id).sort()
    const up = await compose('up', '-d')
    t.equal(up.status, 0, up.stderr)
    t.same((await docker.listContainers()).map(({ Id }) => Id).sort(), before)
  })

  t.test('ps, port, logs, top and exec', async (t) => {
    const ps = await compose('ps', '--format', '{{.Service}} {{.State}}')
    t.same(ps.stdout.trim().split('\n').sort(), ['web running', 'worker running'], ps.stderr)
    const port = (await compose('port', 'web', '80')).stdout.trim()
    t.match(port, /^127\.0\.0\.1:\d+$/)
    t.equal(await (await fetch(`http://${port}/index.html`)).text(), 'page\n')
    t.match((await compose('logs', '--no-color')).stdout, /web-1 +\| serving/)
    t.match((await compose('top', 'worker')).stdout, 'sleep 1000')
    const exec = await compose('exec', '-T', 'web', 'sh', '-c', 'echo $GREETING; exit 3')
    t.same([exec.status, exec.stdout], [3, 'hello\n'])
  })

  t.test('the services reach each other by name', { skip: noNames }, async (t) => {
    const wget = await compose('exec', '-T', 'worker', 'wget', '-qO-', 'http://web/index.html')
    t.same([wget.status, wget.stdout], [0, 'page\n'], wget.stderr)
  })

  t.test('run, stop, start, restart, kill and scale', async (t) => {
    t.match(await compose('run', '--rm', '-T', 'worker', 'echo', 'once'), { status: 0, stdout: 'once\n' })
    for (const argv of [['stop', 'worker'], ['start', 'worker'], ['restart', '-t', '0'], ['pause'], ['unpause']]) {
      const { status, stderr } = await compose(...argv)
      t.equal(status, 0, `${argv[0]}: ${stderr}`)
    }
    const scaled = await compose('up', '-d', '--scale', 'worker=2', '--no-recreate')
    t.equal(scaled.status, 0, scaled.stderr)
    t.same(await names(), ['/judged-web-1', '/judged-worker-1', '/judged-worker-2'])
    t.equal((await compose('kill')).status, 0)
    t.same(await docker.listContainers(), [])
  })

  t.test('down removes containers and networks, and with -v volumes', async (t) => {
    const down = await compose('down', '-v', '-t', '0')
    t.equal(down.status, 0, down.stderr)
    t.same(await names(), [])
    t.same((await docker.listVolumes()).Volumes, [])
    t.same((await docker.listNetworks()).map(({ Name }) => Name).sort(), ['bridge', 'host', 'none'])
    rmSync(directory, { recursive: true })
  })

  leavesNothing(t, daemon)
}
