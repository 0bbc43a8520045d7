/**
 * A private registry on our own engine: Debian's docker-registry as a container with a published port and a volume; images
 * are pushed to it, deleted, pulled back and run. Plain, and with TLS and passwords; by the docker CLI and by docker-ts.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { freePort } from '../packages/images/src/testing/docker-registry.ts'
import { startDaemon } from './support/daemon.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { docker, dockerTs, type Result, run } from './support/programs.ts'

const daemon = await startDaemon()
const directory = mkdtempSync(join(tmpdir(), 'dts-registry-'))
t.teardown(async () => {
  const left = await daemon.stop()
  rmSync(directory, { recursive: true, force: true })
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')
await makeRegistryImage()

/** The program with the libraries it was linked with. */
async function makeRegistryImage(): Promise<void> {
  const root = join(directory, 'rootfs')
  const program = '/usr/bin/docker-registry'
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? []
  for (const path of [program, ...libraries.filter((name) => !name.endsWith(':'))]) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    copyFileSync(path, join(root, path))
  }
  for (const path of ['etc', 'tmp', 'var/lib/registry']) mkdirSync(join(root, path), { recursive: true })
  const storage = 'storage: {filesystem: {rootdirectory: /var/lib/registry}, delete: {enabled: true}}'
  const common = ['version: 0.1', 'log: {level: error}', storage]
  writeFileSync(join(root, 'etc/plain.yml'), [...common, "http: {addr: ':5000'}"].join('\n'))
  const secured = [
    "http: {addr: ':5000', tls: {certificate: /secrets/server.crt, key: /secrets/server.key}}",
    'auth: {htpasswd: {realm: private, path: /secrets/htpasswd}}',
  ]
  writeFileSync(join(root, 'etc/secured.yml'), [...common, ...secured].join('\n'))
  const tar = execFileSync('tar', ['-C', root, '-cf', '-', '.'], { maxBuffer: 256 * 2 ** 20 })
  const changes = ['--change', `ENTRYPOINT ["${program}","serve"]`, '--change', 'CMD ["/etc/plain.yml"]']
  const made = await run(docker, ['import', ...changes, '-', 'registry:local'], {
    input: tar,
    environment: { DOCKER_HOST: daemon.host },
  })
  if (made.status !== 0) throw new Error(made.stderr)
}

function makeSecrets(): string {
  const secrets = join(directory, 'secrets')
  mkdirSync(secrets)
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const files = ['-keyout', join(secrets, 'server.key'), '-out', join(secrets, 'server.crt')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], {
    stdio: 'ignore',
  })
  writeFileSync(join(secrets, 'htpasswd'), execFileSync('htpasswd', ['-Bbn', 'alice', 's3cret']))
  return secrets
}

/** A client with a configuration of its own. */
function client(program: string, name: string) {
  const config = join(directory, `config-${name}`)
  mkdirSync(config, { recursive: true })
  const environment = { DOCKER_HOST: daemon.host, DOCKER_CONFIG: config }
  const cli = (argv: string[], input?: string) =>
    run(program, argv, { environment, ...(input === undefined ? {} : { input }) })
  return { cli, config }
}

type Cli = ReturnType<typeof client>['cli']

async function roundTrip(t: Tap, cli: Cli, image: string): Promise<void> {
  const done = (result: Result, what: string) => t.equal(result.status, 0, `${what}: ${result.stderr}`)
  done(await cli(['tag', 'busybox', image]), 'tag')
  const pushed = await cli(['push', image])
  done(pushed, 'push')
  const digest = /digest: (sha256:[a-f0-9]{64}) size: \d+/.exec(pushed.stdout)?.[1] ?? ''
  t.not(digest, '', pushed.stdout)
  const before = await cli(['image', 'inspect', '-f', '{{.Id}}', image])
  t.match((await cli(['push', image])).stdout, 'Layer already exists')
  done(await cli(['rmi', image]), 'rmi')
  t.not((await cli(['image', 'inspect', image])).status, 0, 'it is gone')
  const pulled = await cli(['pull', image])
  done(pulled, 'pull')
  t.match(pulled.stdout, `Digest: ${digest}`)
  t.match(pulled.stdout, `Status: Downloaded newer image for ${image}`)
  t.match((await cli(['pull', image])).stdout, `Status: Image is up to date for ${image}`)
  t.equal((await cli(['image', 'inspect', '-f', '{{.Id}}', image])).stdout, before.stdout, 'the same image')
  t.equal((await cli(['run', '--rm', '--network', 'none', image, 'echo', 'back'])).stdout, 'back\n')
  done(await cli(['rmi', image]), 'rmi')
}

type Tap = Pick<typeof t, 'equal' | 'not' | 'match' | 'ok'>

async function answering(url: string): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    try {
      execFileSync('curl', ['-ksS', '-o', '/dev/null', url], { stdio: ['ignore', 'ignore', 'pipe'] })
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

for (const [name, program] of [
  ['docker', docker],
  ['docker-ts', dockerTs],
] as const) {
  t.test(`${name}: push to a registry in a container, delete, pull back, run`, async (t) => {
    const { cli } = client(program, `${name}-plain`)
    const host = `127.0.0.1:${await freePort()}`
    t.equal((await cli(['volume', 'create', `data-${name}`])).status, 0)
    const options = ['-d', '--name', `registry-${name}`, '-p', `${host}:5000`, '-v', `data-${name}:/var/lib/registry`]
    const started = await cli(['run', ...options, 'registry:local'])
    t.equal(started.status, 0, started.stderr)
    await answering(`http://${host}/v2/`)
    await roundTrip(t, cli, `${host}/team/busybox:1`)

    // The volume outlives the container.
    t.equal((await cli(['rm', '-f', `registry-${name}`])).status, 0)
    t.equal((await cli(['run', ...options, 'registry:local'])).status, 0)
    await answering(`http://${host}/v2/`)
    t.equal((await cli(['pull', '-q', `${host}/team/busybox:1`])).stdout, `${host}/team/busybox:1\n`)
    t.equal((await cli(['rmi', `${host}/team/busybox:1`])).status, 0)
    t.equal((await cli(['rm', '-f', `registry-${name}`])).status, 0)
    t.equal((await cli(['volume', 'rm', `data-${name}`])).status, 0)
  })
}

t.test('with TLS and passwords', async (t) => {
  const secrets = makeSecrets()
  const host = `127.0.0.1:${await freePort()}`
  const { cli: starter } = client(docker, 'starter')
  const options = ['-d', '--name', 'secured', '-p', `${host}:5000`, '-v', `${secrets}:/secrets:ro`]
  const started = await starter(['run', ...options, 'registry:local', '/etc/secured.yml'])
  t.equal(started.status, 0, started.stderr)
  await answering(`https://${host}/v2/`)
  for (const [name, program] of [
    ['docker', docker],
    ['docker-ts', dockerTs],
  ] as const) {
    const { cli, config } = client(program, `${name}-secured`)
    t.equal((await cli(['tag', 'busybox', `${host}/${name}:1`])).status, 0)
    const refused = await cli(['push', `${host}/${name}:1`])
    t.equal(refused.status, 1, `${name} without a login`)
    t.match(refused.stderr, 'no basic auth credentials')
    const wrong = await cli(['login', '-u', 'alice', '--password-stdin', host], 'wrong')
    t.equal(wrong.status, 1)
    t.match(wrong.stderr, /401 Unauthorized/)
    t.notMatch(wrong.stderr, 'wrong', 'no secret in the error')
    const login = await cli(['login', '-u', 'alice', '--password-stdin', host], 's3cret\n')
    t.equal(login.status, 0, login.stderr)
    t.match(login.stdout, 'Login Succeeded')
    const kept = JSON.parse(readFileSync(join(config, 'config.json'), 'utf8'))
    t.equal(Buffer.from(kept.auths[host].auth, 'base64').toString(), 'alice:s3cret')
    await roundTrip(t, cli, `${host}/${name}:1`)
    t.match((await cli(['logout', host])).stdout, `Removing login credentials for ${host}`)
    t.same(JSON.parse(readFileSync(join(config, 'config.json'), 'utf8')).auths ?? {}, {})
  }
  t.notMatch(daemon.log(), 's3cret', 'no secret in the log')
  t.equal((await starter(['rm', '-f', 'secured'])).status, 0)
})
