/** docker cp, diff, export and commit by the real docker CLI and docker-ts on one daemon, which is left as it was. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { RawClient } from '../packages/daemon/src/http/testing.ts'
import { call, startDaemon } from './support/daemon.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { docker, dockerTs, run } from './support/programs.ts'
import { sendBytes } from './support/send-bytes.ts'

const daemon = await startDaemon()
const environment = { DOCKER_HOST: daemon.host }
await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')
const directory = mkdtempSync(join(tmpdir(), 'dts-copy-'))

t.test('an image is mounted, is in use, and survives the daemon and the removal of its name', async (t) => {
  const cli = (...argv: string[]) => run(dockerTs, argv, { environment })
  const ok = async (...argv: string[]) => {
    const result = await cli(...argv)
    t.equal(result.status, 0, `${argv.join(' ')}: ${result.stderr}`)
    return result.stdout
  }
  const layerBytes = async () =>
    ((await call(daemon.socket, 'GET', '/v1.45/system/df?type=image')).json as { LayersSize: number }).LayersSize
  const before = await layerBytes()
  await importImage(daemon.socket, busyboxRootfs('mounted'), 'tool:latest')
  const toolId = (await ok('image', 'inspect', '-f', '{{.Id}}', 'tool')).trim()
  const whole = ['--mount', 'type=image,source=tool,target=/tool']
  const part = ['--mount', 'type=image,source=tool,target=/motd,image-subpath=etc/motd']
  const written = await cli('run', '--rm', ...whole, ...part, 'busybox', 'sh', '-c', 'cat /motd; touch /tool/x')
  t.match(written, { status: 1, stdout: 'mounted', stderr: 'touch: /tool/x: Read-only file system' })
  const id = (await ok('run', '-d', '--name', 'user', ...whole, ...part, 'busybox', 'sleep', '1000')).trim()
  t.equal(await ok('exec', 'user', 'cat', '/tool/etc/motd'), 'mounted')
  const { json } = await call(daemon.socket, 'GET', '/containers/user/json')
  t.match((json as { Mounts: object[] }).Mounts, [
    { Type: 'image', Name: 'tool', Destination: '/tool', RW: false },
    { Type: 'image', Name: 'tool', Destination: '/motd', RW: false },
  ])
  t.match(
    (await cli('rmi', 'tool')).stderr,
    `container ${id.slice(0, 12)} is using its referenced image ${toolId.slice(7, 19)}`,
  )
  t.equal(await ok('cp', 'user:/tool/etc/motd', join(directory, 'motd')), '')
  await daemon.kill()
  await daemon.start()
  t.equal(await ok('exec', 'user', 'cat', '/motd'), 'mounted', 'the run outlives the daemon')
  await ok('stop', '-t', '0', 'user')
  t.match(await ok('rmi', '-f', 'tool'), 'Untagged: tool:latest')
  await ok('cp', 'user:/tool/etc/motd', join(directory, 'again'))
  t.equal(readFileSync(join(directory, 'again'), 'utf8'), 'mounted', 'out of a stopped container too')
  await ok('start', 'user')
  t.equal(await ok('exec', 'user', 'cat', '/tool/etc/motd'), 'mounted')
  await ok('rm', '-f', 'user')
  t.equal(await layerBytes(), before, 'its layer goes with its last user')
  const mount = (options: string) => cli('create', '--mount', `type=image,target=/x,${options}`, 'busybox')
  const Mounts = [{ Type: 'image', Source: 'nobody', Target: '/x' }]
  const missing = await call(daemon.socket, 'POST', '/containers/create', { Image: 'busybox', HostConfig: { Mounts } })
  t.match([missing.status, missing.json], [404, { message: 'No such image: nobody:latest' }])
  t.match(
    (await mount('source=busybox,image-subpath=../etc')).stderr,
    'invalid mount config for type "image": subpath must be a relative path within the volume',
  )
  await ok('create', '--name', 'user', '--mount', 'type=image,source=busybox,target=/x,image-subpath=none', 'busybox')
  t.match(await cli('start', 'user'), { status: 1, stderr: /cannot access path .*none: no such file or directory/ })
  await ok('rm', 'user')
})

t.test('the working directory of a new container is there before it starts', async (t) => {
  const cli = (...argv: string[]) => run(docker, argv, { environment })
  const ok = async (...argv: string[]) => {
    const result = await cli(...argv)
    t.equal(result.status, 0, `${argv.join(' ')}: ${result.stderr}`)
    return result.stdout
  }
  const file = join(directory, 'given')
  writeFileSync(file, 'x')
  await ok('create', '--name', 'new', '-u', 'user', '-w', '/new/deep', '-v', 'work:/new/deep', 'busybox')
  t.equal(await ok('diff', 'new'), 'A /new\nA /new/deep\n')
  await ok('cp', file, 'new:/new/')
  await ok('export', '-o', join(directory, 'new.tar'), 'new')
  const listed = execFileSync('tar', ['--numeric-owner', '-tvf', join(directory, 'new.tar')], { encoding: 'utf8' })
  t.match(listed, /^drwxr-xr-x 0\/0 .* new\/\ndrwxr-xr-x 0\/0 .* new\/deep\/\n-.* new\/given\n/m)
  const id = (await ok('commit', 'new')).trim()
  t.equal(await ok('run', '--rm', '-w', '/', id, 'ls', '/new'), 'deep\ngiven\n')
  await ok('rm', 'new')
  await ok('create', '--name', 'new', '--read-only', '-w', '/usr/bin/sub', 'busybox', 'pwd')
  t.equal(await ok('diff', 'new'), 'C /bin\nA /bin/sub\n', 'links of the image are followed in it')
  t.equal(await ok('start', '-a', 'new'), '/bin/sub\n')
  await ok('rm', 'new')
  for (const path of ['/etc/passwd', '/etc/passwd/x']) {
    const refused = await call(daemon.socket, 'POST', '/containers/create?name=bad', {
      Image: 'busybox',
      WorkingDir: path,
    })
    t.match([refused.status, refused.json], [500, { message: `Cannot mkdir: ${path} is not a directory` }])
  }
  t.notMatch(await ok('ps', '-a'), 'bad')
  await ok('rmi', id)
  await ok('volume', 'rm', 'work')
})

for (const [name, program] of [
  ['docker', docker],
  ['docker-ts', dockerTs],
] as const) {
  const cli = (argv: string[], input?: string | Buffer) =>
    run(program, argv, { environment, ...(input === undefined ? {} : { input }) })
  const ok = async (t: Test, argv: string[]) => {
    const result = await cli(argv)
    t.equal(result.status, 0, `${argv.join(' ')}: ${result.stderr}`)
    return result.stdout
  }

  t.test(`${name}: files go in and come out, of created, running and stopped containers`, async (t) => {
    const here = mkdtempSync(join(directory, 'files-'))
    mkdirSync(join(here, 'tree/sub'), { recursive: true })
    writeFileSync(join(here, 'tree/sub/file'), 'content')
    symlinkSync('sub/file', join(here, 'tree/link'))
    await ok(t, ['create', '--name', 'cc', '-v', 'vol:/data', 'busybox', 'sleep', '1000'])
    for (const [index, state] of ['created', 'running', 'stopped'].entries()) {
      if (state === 'running') await ok(t, ['start', 'cc'])
      if (state === 'stopped') await ok(t, ['stop', '-t', '0', 'cc'])
      await ok(t, ['cp', join(here, 'tree'), `cc:/data/${state}`])
      await ok(t, ['cp', `cc:/data/${state}`, join(here, state)])
      t.equal(readFileSync(join(here, state, 'link'), 'utf8'), 'content', state)
      await ok(t, ['cp', `cc:/data/${state}/.`, join(here, `content-${index}`)])
      t.same(readdirSync(join(here, `content-${index}`)), ['link', 'sub'])
      await ok(t, ['cp', '-L', `cc:/data/${state}/link`, join(here, `followed-${index}`)])
      t.equal(readFileSync(join(here, `followed-${index}`), 'utf8'), 'content')
    }
    const seen = await ok(t, ['run', '--rm', '-v', 'vol:/v', 'busybox', 'ls', '/v'])
    t.same(seen.trim().split('\n'), ['created', 'running', 'stopped'], 'the volume has them')
    const missing = await cli(['cp', 'cc:/none', here])
    t.equal(missing.status, 1)
    // Its own words in 20.10, the daemon's in 28.
    t.match(missing.stderr, /Could not find the file \/none in container cc|No such container:path: cc:\/none/)
    await ok(t, ['rm', '-v', 'cc'])
    await ok(t, ['volume', 'rm', 'vol'])
  })

  t.test(`${name}: tar streams, owners, and what is read-only`, async (t) => {
    const here = mkdtempSync(join(directory, 'tars-'))
    writeFileSync(join(here, 'f'), 'x')
    const tar = execFileSync('tar', ['-C', here, '-c', '--owner=7', '--group=8', '--numeric-owner', 'f'])
    await ok(t, ['create', '--name', 'cc', '-v', `${here}:/bound:ro`, 'busybox', 'stat', '-c', '%u:%g', '/tmp/f'])
    t.equal((await cli(['cp', '-', 'cc:/tmp'], tar)).status, 0)
    t.equal((await ok(t, ['start', '-a', 'cc'])).trim(), '7:8')
    const listed = execFileSync('tar', ['-tf', '-'], { input: await ok(t, ['cp', 'cc:/tmp', '-']), encoding: 'utf8' })
    t.equal(listed, 'tmp/\ntmp/f\n')
    const refused = await cli(['cp', '-', 'cc:/bound'], tar)
    t.match(refused.stderr, 'mounted volume is marked read-only')
    t.equal((await cli(['cp', 'cc:/tmp', 'cc:/etc'])).stderr.trim(), 'copying between containers is not supported')
    await ok(t, ['rm', 'cc'])
  })

  t.test(`${name}: diff, export and commit`, async (t) => {
    const here = mkdtempSync(join(directory, 'images-'))
    await ok(t, ['run', '-d', '--name', 'cc', '-v', '/anonymous', 'busybox', 'sleep', '1000'])
    await ok(t, ['exec', 'cc', 'sh', '-c', 'echo new > /etc/new; rm -r /var/www; rm /bin/wc'])
    const changed = ['A /anonymous', 'A /etc/new', 'C /bin', 'C /etc', 'C /var', 'D /bin/wc', 'D /var/www']
    let diff: string[] = []
    while (!diff.includes('D /bin/wc')) diff = (await ok(t, ['diff', 'cc'])).trim().split('\n').sort()
    t.same(
      diff.filter((line) => changed.includes(line)),
      changed,
    )
    await ok(t, ['export', '-o', join(here, 'tar'), 'cc'])
    const listed = execFileSync('tar', ['-tf', join(here, 'tar')], { encoding: 'utf8' }).split('\n')
    t.ok(listed.includes('etc/new') && listed.includes('anonymous/') && listed.includes('.dockerenv'))
    t.notOk(listed.includes('bin/wc'))
    const flags = [
      '-a',
      'me <m@x>',
      '-m',
      'why',
      '-c',
      'ENV A=b',
      '-c',
      'CMD ["sh", "-c", "echo $A; cat /etc/new; ls /var"]',
    ]
    const id = (await ok(t, ['commit', ...flags, 'cc', 'made:v1'])).trim()
    t.match(id, /^sha256:[0-9a-f]{64}$/)
    t.equal((await ok(t, ['inspect', '-f', '{{.State.Status}}', 'cc'])).trim(), 'running', 'it goes on')
    t.equal(await ok(t, ['run', '--rm', 'made:v1']), 'b\nnew\n')
    const history = await ok(t, ['history', '--format', '{{.CreatedBy}}|{{.Comment}}', '--no-trunc', 'made:v1'])
    t.match(history, 'sleep 1000|why')
    t.match(await ok(t, ['inspect', '-f', '{{.Author}} {{.Parent}}', 'made:v1']), /^me <m@x> sha256:/)
    const saved = (await ok(t, ['commit', '-p=false', '-c', 'ENV C=d', '-c', 'ENTRYPOINT ["echo"]', 'cc'])).trim()
    t.equal(await ok(t, ['run', '--rm', saved, 'hi']), 'hi\n')
    await ok(t, ['rm', '-fv', 'cc'])
    await ok(t, ['rmi', 'made:v1', saved])
  })
}

/** The daemon's peak of resident memory. */
const peakKib = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1])

t.test('a gigabyte goes through in bounded memory, and a client that leaves leaves nothing', async (t) => {
  const created = await call(daemon.socket, 'POST', '/containers/create?name=big', { Image: 'busybox' })
  t.equal(created.status, 201)
  execFileSync('truncate', ['-s', '1G', join(directory, 'big')])
  const before = peakKib()
  const argv = ['cp', join(directory, 'big'), 'big:/big']
  t.equal((await run(docker, argv, { environment, timeoutMs: 300_000 })).status, 0)
  const out = await run('sh', ['-c', `'${docker}' cp big:/big - | wc -c`], { environment, timeoutMs: 300_000 })
  t.ok(Number(out.stdout) > 2 ** 30, out.stdout)
  t.ok(peakKib() - before < 150 * 1024, `${before} KiB before, ${peakKib()} KiB at the most`)
  await new Promise<void>((resolve, reject) => {
    const path = '/containers/big/archive?path=/big'
    const get = request({ socketPath: daemon.socket, path, agent: false }, (response) => {
      response.once('data', () => get.destroy())
      response.once('close', resolve)
      response.on('error', () => {})
    })
    get.on('error', reject)
    get.end()
  })
  t.equal((await call(daemon.socket, 'DELETE', '/containers/big')).status, 204)
})

/** The processes that read a client's connection, of this daemon. */
const borrowers = () =>
  readdirSync('/proc').filter((pid) => {
    try {
      const argv = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : ''
      return argv.includes('\0--body=') && argv.includes(`${daemon.directory}/`)
    } catch {
      return false
    }
  }).length
const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test(
  'a large archive is read from its connection: one that stalls, one that leaves, one with a request behind',
  async (t) => {
    const created = await call(daemon.socket, 'POST', '/containers/create?name=lent', { Image: 'busybox' })
    t.equal(created.status, 201)
    const noise = randomBytes(20 * 2 ** 20)
    writeFileSync(join(directory, 'noise'), noise)
    const tar = execFileSync('tar', ['-C', directory, '-c', 'noise'], { maxBuffer: 2 ** 26 })
    const path = '/containers/lent/archive?path=/tmp'
    const head = `PUT ${path} HTTP/1.1\r\nHost: d\r\nContent-Length: ${tar.length}\r\n\r\n`
    const open = () => {
      const client = new RawClient(daemon.socket)
      client.send(head)
      client.socket.write(tar.subarray(0, tar.length / 2))
      return client
    }
    const stalled = open()
    while (borrowers() === 0) await turn()
    stalled.socket.write(tar.subarray(tar.length / 2))
    stalled.send('GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n')
    t.match(await stalled.until('\r\n\r\nOK'), /^HTTP\/1\.1 200 OK/)
    const { body: out } = await sendBytes(daemon.socket, 'GET', '/containers/lent/archive?path=/tmp/noise')
    t.ok(out.subarray(512, 512 + noise.length).equals(noise), 'every byte arrived')
    for (const leave of ['destroy', 'end'] as const) {
      const gone = open()
      while (borrowers() === 0) await turn()
      gone.socket[leave]()
      while (borrowers() > 0) await turn()
      if (leave === 'end') t.match(await gone.untilEnd(), /^(|HTTP\/1\.1 [45]00 [\s\S]*)$/)
    }
    // What has no directory to go to is refused, and its connection goes on.
    stalled.received = ''
    stalled.send(head.replace('/tmp', '/none'))
    stalled.socket.write(tar)
    stalled.send('GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n')
    t.match(
      await stalled.until('\r\n\r\nOK'),
      /^HTTP\/1\.1 404 [\s\S]*Could not find the file \/none in container lent/,
    )
    stalled.socket.destroy()
    t.equal((await call(daemon.socket, 'DELETE', '/containers/lent')).status, 204)
  },
)

t.test('nothing is left', async (t) => {
  rmSync(directory, { recursive: true })
  t.same(await daemon.stop(), [])
})
