import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { CgroupLayout } from '../cgroups/cgroup-layout.ts'
import { createRuntimes, type RuntimesOptions } from './host-runtimes.ts'
import { parseVersion } from './runtime-program.ts'

const v2: CgroupLayout = { version: '2', root: '/sys/fs/cgroup', controllers: new Set() }
const hybrid: CgroupLayout = { version: '1', hierarchies: new Map(), unified: '/sys/fs/cgroup/unified' }

const crunVersion = 'crun version 1.8.1\ncommit: f8a\nspec: 1.0.0\n+SYSTEMD +SECCOMP +YAJL\n'

/** Programs that only answer --version, and count how often they are asked. */
function setUp(t: TestWithDirectory, programs: Record<string, string>, options: Partial<RuntimesOptions> = {}) {
  const directory = t.testdir({})
  const place = (name: string, version: string) => {
    const path = join(directory, name)
    writeFileSync(path, `#!/bin/sh\necho asked >> ${directory}/asked\ncat <<'END'\n${version}\nEND\n`)
    chmodSync(path, 0o755)
    return path
  }
  for (const [name, version] of Object.entries(programs)) place(name, version)
  const sealed: string[] = []
  const runtimes = createRuntimes({
    helper: {
      sealProgram: async (path) => {
        sealed.push(path)
        return { path: `/proc/1/fd/${sealed.length}` }
      },
    },
    cgroups: { layout: v2, driver: 'cgroupfs' },
    stateRoot: join(directory, 'state'),
    seccompDirectory: join(directory, 'seccomp'),
    searchPath: directory,
    ...options,
  })
  const asked = () => readFileSync(join(directory, 'asked'), 'utf8').split('\n').length - 1
  return { directory, place, runtimes, sealed, asked }
}

type TestWithDirectory = Pick<typeof t, 'testdir'>

t.test('crun is the default, started from a sealed copy', async (t) => {
  const { directory, runtimes, sealed } = setUp(t, { crun: crunVersion, runc: 'runc version 1.1.5' })
  const host = await runtimes
  t.equal(host.defaultName, 'crun')
  const { command, isCrun, version, stateDirectory } = await host.resolve()
  t.equal(isCrun, true)
  t.equal(version, '1.8.1')
  t.strictSame(command, {
    path: '/proc/1/fd/1',
    globalArguments: ['--root', join(directory, 'state/crun'), '--cgroup-manager=cgroupfs'],
  })
  t.strictSame(sealed, [join(directory, 'crun')])
  t.equal(stateDirectory('x'), join(directory, 'state/crun/x'))
})

t.test('hybrid hosts: the cgroup2 mount is hidden from crun, and from crun only', async (t) => {
  const cgroups = { layout: hybrid, driver: 'cgroupfs' as const }
  const { runtimes } = setUp(t, { crun: crunVersion, runc: 'runc version 1.1.5' }, { cgroups })
  t.equal((await (await runtimes).resolve('crun')).command.hideCgroup2Mount, '/sys/fs/cgroup/unified')
  t.equal((await (await runtimes).resolve('runc')).command.hideCgroup2Mount, undefined)
})

t.test('runc takes over where crun cannot serve', async (t) => {
  const cgroups = { layout: v2, driver: 'systemd' as const }
  const without = setUp(t, { crun: 'crun version 1.8.1\n+SECCOMP\n', runc: 'runc version 1.1.5' }, { cgroups })
  t.equal((await without.runtimes).defaultName, 'runc', 'a crun built without systemd')
  const { directory, runtimes, sealed } = setUp(t, { crun: 'crun: broken', runc: 'runc version 1.1.5' }, { cgroups })
  t.equal((await runtimes).defaultName, 'runc')
  const { command } = await (await runtimes).resolve()
  t.strictSame(command.globalArguments, ['--root', join(directory, 'state/runc'), '--systemd-cgroup'])
  t.strictSame(sealed, [], 'runc is started as it is')
})

t.test('added runtimes, with arguments; a chosen default; unknown names', async (t) => {
  const { runtimes } = setUp(
    t,
    { crun: crunVersion },
    { addedRuntimes: { mine: { path: '/nonexistent/mine', runtimeArgs: ['--debug'] } }, defaultRuntime: 'mine' },
  )
  const host = await runtimes
  t.equal(host.defaultName, 'mine')
  t.strictSame(host.list().mine, { path: '/nonexistent/mine', runtimeArgs: ['--debug'] })
  await t.rejects(host.resolve('mine'), { message: 'runtime mine is not installed: /nonexistent/mine' })
  await t.rejects(host.resolve('nope'), { kind: 'invalidArgument', message: 'unknown or invalid runtime name: nope' })
  const given = setUp(
    t,
    { crun: crunVersion },
    { addedRuntimes: { given: { path: '/bin/true', runtimeArgs: ['-x'] } } },
  )
  const { command, isCrun } = await (await given.runtimes).resolve('given')
  t.match(command, { path: '/bin/true', globalArguments: ['-x', '--root', join(given.directory, 'state/given')] })
  t.equal(isCrun, false)
  await t.rejects(setUp(t, {}, { defaultRuntime: 'nope' }).runtimes, {
    message: "specified default runtime 'nope' does not exist",
  })
})

t.test('the version is asked once for each file at the path', async (t) => {
  const { asked, place, runtimes } = setUp(t, { crun: crunVersion })
  const host = await runtimes
  await host.resolve('crun')
  const before = asked()
  for (let count = 0; count < 3; count += 1) await host.resolve('crun')
  t.equal(asked(), before)
  place('crun', 'crun version 2.0-replaced\n')
  t.equal((await host.resolve('crun')).version, '2.0-replaced')
  t.equal(asked(), before + 1)
})

t.test('versions as the runtimes print them', async (t) => {
  t.strictSame(parseVersion(crunVersion), {
    version: '1.8.1',
    isCrun: true,
    features: new Set(['+SYSTEMD', '+SECCOMP', '+YAJL']),
  })
  t.match(parseVersion('runc version 1.1.5+ds1\ncommit: x\n'), { version: '1.1.5+ds1', isCrun: false })
})
