/** --userns-remap, by docker-ts: containers have ids of their own, what they leave on disk has those of the image. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { call, startDaemon } from './support/daemon.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { dockerTs, run } from './support/programs.ts'

const restoreAccounts = rememberAccounts()
process.on('exit', restoreAccounts)

const daemon = await startDaemon({ config: { 'userns-remap': 'default' } })
// Containers' root has to pass through it, as through the data root.
chmodSync(daemon.directory, 0o711)
const directory = mkdtempSync(join(tmpdir(), 'dts-userns-'))
await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')

const cli = (...argv: string[]) => run(dockerTs, argv, { environment: { DOCKER_HOST: daemon.host } })
async function ok(t: Test, ...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await cli(...argv)
  t.equal(status, 0, `${argv.join(' ')}: ${stderr}`)
  return stdout.trim()
}
const inBusybox = (t: Test, script: string, ...options: string[]) =>
  ok(t, 'run', '--rm', ...options, 'busybox', 'sh', '-c', script)

/** `uid gid` of the one entry with that name. */
const ownerIn = (tar: string, name: string) =>
  execFileSync('tar', ['tvnf', tar], { encoding: 'utf8' })
    .split('\n')
    .find((line) => line.endsWith(` ${name}`))
    ?.split(/\s+/)[1]

const range = () => {
  const [, first = '', size = ''] = /^dockremap:(\d+):(\d+)$/m.exec(readFileSync('/etc/subuid', 'utf8')) ?? []
  return { first: Number(first), size: Number(size) }
}

t.test('the account dockremap and its ranges are made, and info tells of user namespaces', async (t) => {
  t.match(readFileSync('/etc/passwd', 'utf8'), /^dockremap:/m)
  t.equal(range().size, 65_536)
  const { json } = await call(daemon.socket, 'GET', '/info')
  t.ok((json as { SecurityOptions: string[] }).SecurityOptions.includes('name=userns'))
})

t.test('root in a container is nobody on the host, and owns its files and its network', async (t) => {
  const { first, size } = range()
  const map = await inBusybox(t, 'cat /proc/self/uid_map')
  t.same(map.split(/\s+/), ['0', String(first), String(size)])
  t.equal(await inBusybox(t, 'touch /x && chown 7:8 /x && stat -c %u:%g / /x /etc/hosts | xargs'), '0:0 7:8 0:0')
  const added = await inBusybox(t, 'ip addr add 10.9.9.9/32 dev lo && ip addr show lo', '--cap-add', 'NET_ADMIN')
  t.match(added, '10.9.9.9/32')
  t.equal(await inBusybox(t, 'id -u && id -g', '-u', '5:6'), '5\n6')
  await ok(t, 'run', '-d', '--name', 'root', 'busybox', 'sleep', '1000')
  const { json } = await call(daemon.socket, 'GET', '/containers/root/json')
  const { Pid: pid } = (json as { State: { Pid: number } }).State
  t.equal(statSync(`/proc/${pid}`).uid, first)
  t.equal(await ok(t, 'exec', 'root', 'id', '-u'), '0')
  const joined = ['--network', 'container:root', '--pid', 'container:root']
  const namespaces = await inBusybox(t, 'readlink /proc/1/ns/user; readlink /proc/self/ns/user', ...joined)
  t.equal(new Set(namespaces.split('\n')).size, 1, 'who joins it is in its user namespace')
  await ok(t, 'rm', '-f', 'root')
})

t.test('copies, exports and images have the ids that the container sees', async (t) => {
  await ok(t, 'run', '--name', 'files', 'busybox', 'sh', '-c', 'touch /made && chown 7:8 /made')
  writeFileSync(join(directory, 'in'), 'x')
  for (const state of ['stopped', 'running']) {
    if (state === 'running') {
      await ok(t, 'commit', '-c', 'CMD ["sleep","1000"]', 'files', 'committed:1')
      await ok(t, 'rm', 'files')
      await ok(t, 'run', '-d', '--name', 'files', 'committed:1')
    }
    const tar = join(directory, `${state}.tar`)
    await ok(t, 'export', '-o', tar, 'files')
    t.equal(ownerIn(tar, 'made'), '7/8', `exported, ${state}`)
    await ok(t, 'cp', join(directory, 'in'), `files:/in-${state}`)
    const { status, stdout } = await cli('cp', 'files:/made', '-')
    t.equal(status, 0)
    writeFileSync(tar, stdout)
    t.equal(ownerIn(tar, 'made'), '7/8', `copied, ${state}`)
  }
  t.equal(await ok(t, 'exec', 'files', 'stat', '-c', '%u:%g', '/made', '/in-running'), '7:8\n0:0')
  t.match(await ok(t, 'diff', 'files'), /^A \/in-running$/m)
  t.equal(
    await ok(t, 'run', '--rm', '--userns=host', 'committed:1', 'stat', '-c', '%u:%g', '/made', '/in-stopped'),
    '7:8\n0:0',
  )
  await ok(t, 'rm', '-f', 'files')
})

t.test('the working directory of a new container is of its root', async (t) => {
  await ok(t, 'create', '--name', 'new', '-w', '/new/deep', 'busybox', 'touch', '/new/deep/x')
  const tar = join(directory, 'new.tar')
  await ok(t, 'export', '-o', tar, 'new')
  t.equal(ownerIn(tar, 'new/deep/'), '0/0')
  await ok(t, 'start', '-a', 'new')
  await ok(t, 'rm', 'new')
})

t.test('volumes belong to the root of containers', async (t) => {
  const { first } = range()
  await inBusybox(t, 'echo content > /v/f', '-v', 'vol:/v')
  const at = `${daemon.directory}/data/volumes/vol/_data`
  t.same([statSync(at).uid, statSync(`${at}/f`).uid], [first, first])
  const subpath = 'type=volume,source=vol,destination=/f,volume-subpath=f'
  t.equal(await inBusybox(t, 'cat /f', '--mount', subpath), 'content')
  await ok(t, 'volume', 'rm', 'vol')
})

t.test('images that are mounted have the ids of the container, whole and in part', async (t) => {
  for (const [part, path] of [
    ['', '/i/bin/busybox'],
    [',image-subpath=bin', '/i/busybox'],
  ] as const) {
    const mount = `type=image,source=busybox,destination=/i${part}`
    t.equal(await inBusybox(t, `stat -c %u:%g ${path}`, '--mount', mount), '0:0')
  }
})

t.test('shared memory is shared within one user namespace', async (t) => {
  await ok(
    t,
    'run',
    '-d',
    '--name',
    'ipc',
    '--ipc',
    'shareable',
    'busybox',
    'sh',
    '-c',
    'echo hi > /dev/shm/f; sleep 1000',
  )
  await ok(t, 'exec', 'ipc', 'sh', '-c', 'until [ -s /dev/shm/f ]; do :; done')
  t.equal(await inBusybox(t, 'cat /dev/shm/f', '--ipc', 'container:ipc'), 'hi')
  await ok(t, 'rm', '-f', 'ipc')
})

t.test("the host's namespaces are had with --userns=host only", async (t) => {
  for (const [option, words] of [
    [
      '--privileged',
      /privileged mode is incompatible with user namespaces\. {2}You must run the container in the host/,
    ],
    ['--network=host', /cannot share the host's network namespace when user namespaces are enabled/],
    ['--pid=host', /cannot share the host PID namespace when user namespaces are enabled/],
  ] as const) {
    t.match(await cli('run', '--rm', option, 'busybox', 'true'), { status: 125, stderr: words })
    t.match(await inBusybox(t, 'cat /proc/self/uid_map', '--userns=host', option), /^0 +0 /)
  }
})

t.test('a daemon that was killed goes on with what runs, and nothing is left at the end', async (t) => {
  await ok(t, 'run', '-d', '--name', 'lives', 'busybox', 'sleep', '1000')
  await daemon.kill()
  await daemon.start()
  t.equal(await ok(t, 'exec', 'lives', 'id', '-u'), '0')
  await ok(t, 'cp', join(directory, 'in'), 'lives:/in')
  await ok(t, 'restart', '-t', '0', 'lives')
  t.equal(await ok(t, 'exec', 'lives', 'stat', '-c', '%u', '/in'), '0')
  const mapped = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes('/exec/mapped '))
  t.equal(mapped.filter((line) => line.includes(daemon.directory)).length, 1)
  t.same(await daemon.stop(), [])
  rmSync(directory, { recursive: true })
})

/** `useradd` and the ranges change files of the machine, which has them back afterwards. */
function rememberAccounts(): () => void {
  const files = ['/etc/subuid', '/etc/subgid'].map((path) => ({
    path,
    text: existsSync(path) ? readFileSync(path, 'utf8') : undefined,
  }))
  const hadAccount = /^dockremap:/m.test(readFileSync('/etc/passwd', 'utf8'))
  return () => {
    for (const { path, text } of files) {
      if (text === undefined) rmSync(path, { force: true })
      else writeFileSync(path, text)
    }
    if (!hadAccount && /^dockremap:/m.test(readFileSync('/etc/passwd', 'utf8'))) execFileSync('userdel', ['dockremap'])
  }
}
