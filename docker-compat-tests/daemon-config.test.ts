/** What the daemon's options do to containers and clients, on daemons with options set; and the reload by SIGHUP. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { call, type DaemonOptions, root, startDaemon, type TestDaemon } from './support/daemon.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { logged } from './support/logged.ts'
import { docker, dockerTs, run } from './support/programs.ts'

const rootfs = busyboxRootfs()

interface Event {
  Action: string
  Actor: { ID: string; Attributes: Record<string, string> }
}

type Test = { same(found: unknown, wanted: unknown, message?: string): boolean } & typeof t

function withDaemon(name: string, options: DaemonOptions, work: (t: Test, daemon: TestDaemon) => Promise<void>): void {
  t.test(name, async (t) => {
    const daemon = await startDaemon(options)
    try {
      await work(t as unknown as Test, daemon)
    } finally {
      t.same(await daemon.stop(), [], 'nothing is left on the machine')
    }
  })
}

withDaemon(
  'SIGHUP applies a whole configuration or none of it',
  { config: { labels: ['before=1'], mtu: 1400 } },
  async (t, daemon) => {
    const reload = async (content: string, pattern: RegExp) => {
      const from = daemon.log().length
      writeFileSync(`${daemon.directory}/daemon.json`, content)
      process.kill(daemon.pid, 'SIGHUP')
      return logged(daemon, pattern, from)
    }
    const info = async () => (await call(daemon.socket, 'GET', '/info')).json as Record<string, unknown>

    await reload(
      JSON.stringify({
        labels: ['after=2'],
        debug: true,
        'registry-mirrors': ['https://mirror.example/'],
        'insecure-registries': ['registry.example:5000', '10.0.0.0/8'],
        runtimes: { mine: { path: '/usr/bin/crun' } },
        'default-runtime': 'mine',
        'live-restore': false,
        'shutdown-timeout': 3,
      }),
      /Reloaded configuration/,
    )
    const after = await info()
    t.match(after, { Labels: ['after=2'], Debug: true, LiveRestoreEnabled: false, DefaultRuntime: 'mine' })
    t.match(after.RegistryConfig, {
      Mirrors: ['https://mirror.example/'],
      InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', '10.0.0.0/8'],
      IndexConfigs: { 'registry.example:5000': { Secure: false } },
    })
    const until = Math.ceil(Date.now() / 1000) + 1
    const filters = encodeURIComponent('{"type":["daemon"]}')
    const { body } = await call(daemon.socket, 'GET', `/events?since=0&until=${until}&filters=${filters}`)
    const events = body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Event)
    t.equal(events.length, 1)
    t.match(events[0], {
      Action: 'reload',
      Actor: {
        ID: after.ID,
        Attributes: { labels: '["after=2"]', 'shutdown-timeout': '3', runtimes: 'mine:/usr/bin/crun' },
      },
    })

    for (const content of [
      '{bad',
      '{"nope": 1}',
      '{"labels": ["x=1"], "default-runtime": "missing"}',
      '{"iptables": false}',
    ]) {
      await reload(content, /level=error/)
      t.match(await info(), { Labels: ['after=2'], DefaultRuntime: 'mine' }, content)
    }
    await reload('{"mtu": 1300, "labels": ["last=3"]}', /a change of this directive needs a restart.*directive=mtu/)
    t.match(await info(), { Labels: ['last=3'] })
  },
)

const octet = process.pid % 250
withDaemon(
  'names, gateways and addresses of the default bridge come from the options',
  {
    config: {
      bip: `10.203.${octet}.1/24`,
      'fixed-cidr': `10.203.${octet}.128/25`,
      'default-gateway': `10.203.${octet}.200`,
      ipv6: true,
      'fixed-cidr-v6': `fd00:203:${octet}::/64`,
      dns: ['192.0.2.53'],
      'dns-search': ['example.test'],
      'dns-opts': ['ndots:3'],
      'host-gateway-ips': ['192.0.2.1'],
      'default-network-opts': { bridge: { 'com.docker.network.driver.mtu': '1234' } },
      'default-address-pools': [{ base: `10.204.${octet}.0/24`, size: 28 }],
      'default-shm-size': '8m',
      'default-ulimits': { nofile: { Name: 'nofile', Soft: 111, Hard: 222 } },
    },
  },
  async (t, daemon) => {
    await importImage(daemon.socket, rootfs, 'busybox:latest')
    const cli = (program: string, ...argv: string[]) =>
      run(program, argv, { environment: { DOCKER_HOST: daemon.host } })
    const script =
      'cat /etc/resolv.conf; grep gw /etc/hosts; ip route; ip -6 route; ip addr show eth0; df -k /dev/shm; ulimit -Sn; ulimit -Hn'
    for (const program of [docker, dockerTs]) {
      const { stdout, stderr } = await cli(
        program,
        'run',
        '--rm',
        '--add-host',
        'gw:host-gateway',
        'busybox',
        'sh',
        '-c',
        script,
      )
      t.equal(stderr, '')
      t.match(stdout, /^nameserver 192.0.2.53\nsearch example.test\noptions ndots:3$/m)
      t.match(stdout, /^192.0.2.1\tgw$/m)
      t.match(stdout, `default via 10.203.${octet}.200 dev eth0`)
      t.match(stdout, `default via fd00:203:${octet.toString()}::1 dev eth0`)
      const last = Number(new RegExp(`inet 10\\.203\\.${octet}\\.(\\d+)/24`).exec(stdout)?.[1])
      t.ok(last >= 128, `an address of the fixed range: ${last}`)
      t.match(stdout, /^shm +8192 /m)
      t.match(stdout, /\n111\n222\n$/)
      const own = await cli(program, 'run', '--rm', '--dns', '192.0.2.99', 'busybox', 'cat', '/etc/resolv.conf')
      t.match(own.stdout, /^nameserver 192.0.2.99\nsearch example.test$/m, "a container's own server goes before")
    }
    const created = await cli(docker, 'network', 'create', 'pooled')
    t.equal(created.status, 0, created.stderr)
    const format = '{{(index .IPAM.Config 0).Subnet}} {{index .Options "com.docker.network.driver.mtu"}}'
    t.equal((await cli(docker, 'network', 'inspect', 'pooled', '-f', format)).stdout, `10.204.${octet}.0/28 1234\n`)
    await cli(docker, 'network', 'rm', 'pooled')
  },
)

const certificates = makeCertificates(mkdtempSync(join(tmpdir(), 'dts-tls-')))
t.teardown(() => rmSync(certificates, { recursive: true }))
const port = 20_000 + (process.pid % 10_000)
const flag = (name: string, file: string) => [`--${name}`, `${certificates}/${file}`]
const tlsFlags = [
  ...['-H', `tcp://127.0.0.1:${port}`, '--tlsverify', '--bridge', 'none'],
  ...[...flag('tlscacert', 'ca.pem'), ...flag('tlscert', 'server.pem'), ...flag('tlskey', 'server.key')],
]
withDaemon(
  'a TCP socket with client certificates serves who has one, and nobody else',
  { flags: tlsFlags },
  async (t) => {
    const file = (name: string) => readFileSync(`${certificates}/${name}`)
    const ping = (options: object) =>
      new Promise<number | string>((resolve) => {
        const call = request({ host: '127.0.0.1', port, path: '/_ping', ca: file('ca.pem'), ...options }, (answer) => {
          answer.resume()
          answer.on('end', () => resolve(answer.statusCode ?? 0))
          answer.on('error', (error) => resolve(error.message))
        })
        call.on('error', (error) => resolve(error.message))
        call.end()
      })
    t.equal(await ping({ cert: file('client.pem'), key: file('client.key') }), 200)
    t.not(await ping({}), 200)
    t.not(await ping({ cert: file('stranger.pem'), key: file('stranger.key') }), 200)
    for (const program of [docker, dockerTs]) {
      const tls = [
        '--tlsverify',
        ...flag('tlscacert', 'ca.pem'),
        ...flag('tlscert', 'client.pem'),
        ...flag('tlskey', 'client.key'),
      ]
      const { stdout, stderr } = await run(program, [
        '-H',
        `tcp://127.0.0.1:${port}`,
        ...tls,
        'version',
        '-f',
        '{{.Server.Os}}',
      ])
      t.equal(stdout, 'linux\n', stderr)
    }
  },
)

/** An authority, a server and a client of it, and a client of nobody. */
function makeCertificates(directory: string): string {
  const openssl = (...argv: string[]) => execFileSync('openssl', argv, { cwd: directory, stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=authority')
  openssl('req', '-x509', ...key, '-keyout', 'stranger.key', '-out', 'stranger.pem', '-subj', '/CN=stranger')
  for (const [name, usage] of [
    ['server', 'serverAuth'],
    ['client', 'clientAuth'],
  ]) {
    const extensions = ['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', `extendedKeyUsage=${usage}`]
    openssl(
      'req',
      ...key.slice(0, 5),
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
      ...extensions,
    )
    const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy']
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signer)
  }
  return directory
}

t.test('--validate says what is wrong and touches nothing', async (t) => {
  const directory = t.testdir({ 'good.json': '{"dns": ["192.0.2.1"]}', 'bad.json': '{"selinux-enabled": true}' })
  const validate = (name: string) =>
    run(`${root}/node_modules/.bin/dockerd-ts`, ['--validate', '--config-file', `${directory}/${name}`])
  t.match(await validate('good.json'), { status: 0, stdout: 'configuration OK\n' })
  t.match(await validate('bad.json'), { status: 1, stderr: /selinux-enabled is not served: / })
})
