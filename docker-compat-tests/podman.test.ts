/** Images go between our engine and podman by archives, both ways: the same ids, the same digests. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { startDaemon } from './support/daemon.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { dockerTs, run } from './support/programs.ts'

const program = '/usr/bin/podman'
const options = { skip: existsSync(program) ? false : 'podman is not installed' }

t.test('podman', options, async (t) => {
  const daemon = await startDaemon({ flags: ['--bridge', 'none'] })
  const directory = mkdtempSync(join(tmpdir(), 'dts-podman-'))
  t.teardown(async () => {
    const left = await daemon.stop()
    rmSync(directory, { recursive: true, force: true })
    if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
  })
  const id = await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')
  const cli = async (...argv: string[]) => {
    const result = await run(dockerTs, argv, { environment: { DOCKER_HOST: daemon.host } })
    if (result.status !== 0) throw new Error(`docker-ts ${argv.join(' ')}: ${result.stderr}`)
    return result.stdout.trim()
  }
  /** With storage of its own; the driver that needs nothing of the kernel. */
  const storage = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs']
  const podman = (...argv: string[]) =>
    execFileSync(program, [...storage, '--tmpdir', join(directory, 'tmp'), ...argv], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim()
  const idOf = (name: string) => cli('image', 'inspect', '-f', '{{.Id}}', name)
  const podmanIdOf = (name: string) => `sha256:${podman('image', 'inspect', '-f', '{{.Id}}', name)}`
  const digestOf = (name: string) => podman('image', 'inspect', '-f', '{{.Digest}}', name)
  const layersOf = (text: string) => text.match(/sha256:[a-f0-9]{64}/g) ?? []
  const layers = '{{.RootFS.Layers}}'

  t.test('what we save, podman loads: the same image', async (t) => {
    await cli('tag', 'busybox', 'registry.test/ours:1')
    const saved = join(directory, 'ours.tar')
    await cli('save', '-o', saved, 'registry.test/ours:1')
    t.match(podman('load', '-q', '-i', saved), 'registry.test/ours:1')
    t.equal(podmanIdOf('registry.test/ours:1'), id)
    t.same(
      layersOf(podman('image', 'inspect', '-f', layers, 'registry.test/ours:1')),
      layersOf(await cli('image', 'inspect', '-f', layers, 'busybox')),
    )
    t.equal(podman('image', 'inspect', '-f', '{{.Architecture}}', 'registry.test/ours:1').length > 0, true)
    podman('rmi', '-f', 'registry.test/ours:1')
  })

  t.test('what podman saves, we load and save again: the same image, an OCI archive with its digest', async (t) => {
    const saved = join(directory, 'first.tar')
    await cli('save', '-o', saved, 'busybox:latest')
    podman('load', '-q', '-i', saved)
    podman('tag', 'busybox:latest', 'registry.test/theirs:1')
    await cli('rmi', '-f', 'busybox:latest')
    for (const format of ['docker-archive', 'oci-archive']) {
      const file = join(directory, `${format}.tar`)
      podman('save', '-q', '--format', format, '-o', file, 'registry.test/theirs:1')
      t.match(await cli('load', '-i', file), 'Loaded image: registry.test/theirs:1', format)
      const ours = await idOf('registry.test/theirs:1')
      if (format === 'docker-archive') t.equal(ours, podmanIdOf('registry.test/theirs:1'), format)
      t.equal(await cli('run', '--rm', '--network', 'none', 'registry.test/theirs:1', 'echo', 'runs'), 'runs')

      // And back: what podman reads of it has the same name, id and digest.
      const back = join(directory, `back-${format}.tar`)
      await cli('save', '-o', back, 'registry.test/theirs:1')
      podman('rmi', '-f', 'registry.test/theirs:1')
      podman('load', '-q', '-i', file)
      const before = [podmanIdOf('registry.test/theirs:1'), digestOf('registry.test/theirs:1')]
      podman('rmi', '-f', 'registry.test/theirs:1')
      podman('load', '-q', '-i', back)
      t.equal(podmanIdOf('registry.test/theirs:1'), ours, format)
      if (format === 'oci-archive')
        t.same([podmanIdOf('registry.test/theirs:1'), digestOf('registry.test/theirs:1')], before)
      await cli('rmi', '-f', 'registry.test/theirs:1')
    }
  })
})
