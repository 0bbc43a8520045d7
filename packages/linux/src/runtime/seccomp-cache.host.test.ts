import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OciSpec } from '@dockerd-ts/core'
import t from 'tap'
import { busybox, SpecRunner } from '../../test/spec-runner.ts'
import { processSeccomp } from '../processes/proc-files.ts'
import { findProgram } from './runtime-program.ts'
import { SeccompCache } from './seccomp-cache.ts'

const skip =
  process.getuid?.() !== 0
    ? 'needs root'
    : busybox === undefined || findProgram('crun') === undefined
      ? 'needs a static busybox and crun'
      : false

t.test('a filter is compiled once and confines every later start', { skip }, async (t) => {
  const runner = new SpecRunner({ runtimeName: 'crun', driver: 'cgroupfs' })
  t.teardown(() => runner.dispose())
  const runtime = await runner.runtime()
  const directory = join(runner.directory, 'seccomp')

  const start = async (spec: OciSpec, id: string) => {
    await runner.start(id, spec)
    const [pid = 0] = await runner.cgroups.processIds(id)
    return pid
  }
  const filterOf = async () => (await runner.spec(runner.newId(), {})).linux.seccomp

  const firstId = runner.newId()
  const first = await runner.spec(firstId, { script: 'exec sleep 1000' })
  const filter = first.linux.seccomp
  t.strictSame(await runtime.seccompAnnotations(filter), {}, 'nothing is known at first')
  const pid = await start(first, firstId)
  await runtime.keepSeccomp(filter, { containerId: firstId, pid })
  t.equal(readdirSync(directory).length, 1)

  await t.test('the next start takes it from the annotation and is confined the same', async (t) => {
    const id = runner.newId()
    const spec = await runner.spec(id, { script: 'exec sleep 1000' })
    spec.annotations = await runtime.seccompAnnotations(spec.linux.seccomp)
    t.ok(spec.annotations['run.oci.seccomp_bpf_data'], 'an equal filter is known, although it is another object')
    const second = await start(spec, id)
    t.strictSame(processSeccomp(second), processSeccomp(pid))
    t.equal(processSeccomp(second)?.mode, 2)
    const compiled = (containerId: string) => readFileSync(join(runtime.stateDirectory(containerId), 'seccomp.bpf'))
    t.ok(compiled(id).equals(compiled(firstId)), 'the very same instructions')
    const refused = await runner.run({ script: 'unshare -n true || echo refused' })
    t.match(refused.stdout, 'refused')
  })

  await t.test('with the annotation the filter really refuses', async (t) => {
    const id = runner.newId()
    const spec = await runner.spec(id, { script: 'unshare -n true && echo allowed || echo refused' })
    spec.annotations = await runtime.seccompAnnotations(spec.linux.seccomp)
    // CAP_SYS_ADMIN would let unshare through, were it not for the filter that was resolved without it.
    for (const set of ['bounding', 'effective', 'permitted'] as const)
      spec.process.capabilities?.[set].push('CAP_SYS_ADMIN')
    const { tryCommand } = await import('../command/run-command.ts')
    const bundle = runner.writeBundle(id, spec)
    const limits = { timeoutMs: 30_000, maxOutputBytes: 65_536 }
    const { stdout } = await tryCommand(await runner.command('run', '--bundle', bundle, id), limits)
    t.match(stdout, 'refused')
  })

  await t.test('a new daemon finds it on disk; another profile or runtime does not', async (t) => {
    const wanted = await filterOf()
    if (wanted === undefined) throw new Error('the default profile has a filter')
    const again = new SeccompCache({ directory, runtime: await runtimeKey() })
    t.ok((await again.annotations(wanted))['run.oci.seccomp_bpf_data'])
    t.strictSame(await again.annotations({ ...wanted, defaultErrnoRet: 5 }), {})
    t.strictSame(await new SeccompCache({ directory, runtime: 'another' }).annotations(wanted), {})
  })

  await t.test('several first starts at once keep one filter; one that cannot be kept harms nobody', async (t) => {
    const wanted = await filterOf()
    if (wanted === undefined) throw new Error('the default profile has a filter')
    const started = { pid, stateDirectory: runtime.stateDirectory(firstId) }
    const own = join(runner.directory, 'seccomp-own')
    const cache = new SeccompCache({ directory: own, runtime: 'own' })
    await Promise.all(Array.from({ length: 8 }, () => cache.keep(wanted, started)))
    t.equal(readdirSync(own).length, 1)
    t.ok((await cache.annotations(wanted))['run.oci.seccomp_bpf_data'])
    const nowhere = join(runner.directory, 'a-file')
    writeFileSync(nowhere, '')
    await new SeccompCache({ directory: nowhere, runtime: 'own' }).keep(wanted, started)
  })

  await t.test('what is no filter is not used', async (t) => {
    const wanted = await filterOf()
    if (wanted === undefined) throw new Error('the default profile has a filter')
    const [name = ''] = readdirSync(directory)
    writeFileSync(join(directory, name), 'not a filter')
    t.strictSame(await new SeccompCache({ directory, runtime: await runtimeKey() }).annotations(wanted), {})
  })

  await t.test('a process without its filter is told, and the filter forgotten', async (t) => {
    const wanted = await filterOf()
    if (wanted === undefined) throw new Error('the default profile has a filter')
    const cache = new SeccompCache({ directory, runtime: 'other' })
    const id = runner.newId()
    const open = await start(
      await runner.spec(id, { script: 'exec sleep 1000', hostConfig: { SecurityOpt: ['seccomp=unconfined'] } }),
      id,
    )
    await t.rejects(cache.keep(wanted, { pid: open, stateDirectory: runtime.stateDirectory(firstId) }), {
      message: /runs without its seccomp filter/,
    })
    t.strictSame(await cache.annotations(wanted), {})
    await t.resolves(
      cache.keep(wanted, { pid: 2 ** 30, stateDirectory: '/' }),
      'a process that has ended teaches nothing',
    )
  })

  async function runtimeKey(): Promise<string> {
    const { fileIdentity } = await import('./runtime-program.ts')
    return `${runtime.version} ${fileIdentity(findProgram('crun') ?? '')}`
  }
})
