/**
 * Kills the daemon at every named crash point, on the way of a real client's operation, and starts a new one on the same
 * roots: API and kernel agree, the operation can be repeated, nothing is lost, and when all is removed nothing is left.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { adapterCrashPoints, type CrashPoint, crashPoints } from '@dockerd-ts/core'
import t, { type Test } from 'tap'
import { dockerRegistry } from '../../packages/images/src/testing/docker-registry.ts'
import { layout, multiPlatform } from '../../packages/images/src/testing/multi-platform.ts'
import { disagreements } from '../support/agreement.ts'
import { call, startDaemon, type TestDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { leftoversOfRunning, treeOf } from '../support/leftovers.ts'
import { docker, dockerTs, run } from '../support/programs.ts'
import { storedImageProblems } from '../support/stored-images.ts'
import { imageMountScenarios } from './image-mount-scenarios.ts'
import { containerScenarios, imageScenarios, type Scenario, type Stage } from './scenarios.ts'

interface Step {
  scenario: Scenario
  point: CrashPoint
}

const steps = (scenarios: readonly Scenario[]): Step[] =>
  scenarios.flatMap((scenario) => scenario.points.map((point) => ({ scenario, point })))

const only = process.env.CRASH_POINT
const wanted = ({ scenario, point }: Step) => only === undefined || `${scenario.name} ${point}`.includes(only)
const laneCount = 4

const rootfs = busyboxRootfs()
const image = 'busybox:latest'
const directory = mkdtempSync(join(tmpdir(), 'dts-walk-'))
t.teardown(() => {
  rmSync(directory, { recursive: true })
  rmSync(dirname(rootfs), { recursive: true })
})
const archives = { rootfs, image: join(directory, 'box.tar'), index: join(directory, 'boxes.tar') }
writeFileSync(archives.index, layout('docker.io/library/boxes:1', multiPlatform('boxes')))
const { host: registry } = await dockerRegistry(t)
await prepareArchives()

/** The archive and the registry's copy come from the daemon under test itself. */
async function prepareArchives(): Promise<void> {
  const daemon = await startDaemon({ flags: ['--bridge', 'none'] })
  const name = `${registry}/box:1`
  const cli = async (...argv: string[]) => {
    const { status, stderr } = await run(docker, argv, { environment: { DOCKER_HOST: daemon.host } })
    if (status !== 0) throw new Error(`docker ${argv.join(' ')}: ${stderr}`)
  }
  try {
    await importImage(daemon.socket, rootfs, 'box:1')
    await cli('save', '-o', archives.image, 'box:1')
    await cli('tag', 'box:1', name)
    await cli('push', name)
  } finally {
    await daemon.stop()
  }
}

/** One daemon's roots, on which steps follow each other. */
class Lane {
  readonly #t: Test
  readonly #daemon: TestDaemon
  readonly #withImage: boolean
  #skeleton: string[] = []
  #before = 'the first container'

  private constructor(t: Test, daemon: TestDaemon, withImage: boolean) {
    this.#t = t
    this.#daemon = daemon
    this.#withImage = withImage
  }

  static async open(t: Test, { withImage }: { withImage: boolean }): Promise<Lane> {
    const lane = new Lane(t, await startDaemon(), withImage)
    if (withImage) await importImage(lane.#daemon.socket, rootfs, image)
    // Directories that the first container makes stay.
    else await importImage(lane.#daemon.socket, rootfs, 'first')
    await run(docker, ['run', '--rm', '-v', '/v', withImage ? image : 'first', '/bin/true'], {
      environment: { DOCKER_HOST: lane.#daemon.host },
    })
    await lane.#removeAll()
    await lane.#daemon.kill()
    await lane.#daemon.start()
    lane.#skeleton = treeOf(lane.#daemon.directory)
    return lane
  }

  /** What the step before has left would be seen here: a new daemon sweeps, and then only the skeleton is there. */
  async #restartClean(t: Test, environment: Record<string, string> = {}): Promise<void> {
    const daemon = this.#daemon
    await daemon.kill()
    t.same(storedImageProblems(daemon.directory), [], 'image rows and files agree')
    await daemon.start(environment)
    t.same(treeOf(daemon.directory), this.#skeleton, `no file is left of ${this.#before}`)
  }

  async step({ scenario, point }: Step, index: number): Promise<void> {
    await this.#t.test(`${scenario.name}: killed at ${point}`, async (t) => {
      const daemon = this.#daemon
      const program = index % 2 === 0 ? docker : dockerTs
      const stage: Stage = { t, daemon, program, registry, archives }
      await this.#restartClean(t, { DOCKERD_TS_CRASH_POINT: point })
      await scenario.prepare?.(stage)
      await Promise.all([scenario.act(stage), this.#diesAt(t, point)])
      await daemon.start()
      t.same(await disagreements(daemon), [], 'API and kernel agree')
      await scenario.again(stage)
      t.same(await disagreements(daemon), [], 'API and kernel agree after the repetition')
      await this.#removeAll()
      t.same(await leftoversOfRunning(daemon), [], 'nothing is left on the machine')
      this.#before = `${scenario.name}, ${point}`
    })
  }

  async #diesAt(t: Test, point: CrashPoint): Promise<void> {
    let missed = false
    const timer = setTimeout(() => {
      missed = true
      void this.#daemon.kill()
    }, 30_000)
    t.equal(await this.#daemon.ended, null, 'it dies by a signal')
    clearTimeout(timer)
    t.notOk(missed, `${point} is reached`)
  }

  async #removeAll(): Promise<void> {
    const { socket } = this.#daemon
    const { json } = await call(socket, 'GET', '/containers/json?all=1')
    for (const { Id } of json as { Id: string }[]) await call(socket, 'DELETE', `/containers/${Id}?force=1&v=1`)
    await call(socket, 'POST', '/volumes/prune?filters={"all":["true"]}')
    await call(socket, 'DELETE', '/networks/net')
    if (!this.#withImage) await call(socket, 'POST', '/images/prune?filters={"dangling":["false"]}')
  }

  async close(): Promise<void> {
    await this.#restartClean(this.#t)
    this.#t.same(await this.#daemon.stop(), [], 'nothing is left on the machine')
  }
}

t.test('every crash point is walked', async (t) => {
  const walked = new Set([...containerScenarios, ...imageScenarios].flatMap(({ points }) => points))
  t.same(
    [...crashPoints, ...adapterCrashPoints].filter((point) => !walked.has(point)),
    [],
  )
})

t.jobs = laneCount
const containerSteps = steps([...containerScenarios, ...imageMountScenarios]).filter(wanted)
const imageSteps = steps(imageScenarios).filter(wanted)
for (let lane = 0; lane < laneCount; lane++) {
  const isImageLane = lane === 0
  const own = isImageLane ? imageSteps : containerSteps.filter((_, index) => index % (laneCount - 1) === lane - 1)
  if (own.length === 0) continue
  t.test(`lane ${lane + 1}`, { buffered: true }, async (t) => {
    const track = await Lane.open(t, { withImage: !isImageLane })
    try {
      for (const [index, step] of own.entries()) await track.step(step, index)
    } finally {
      await track.close()
    }
  })
}
