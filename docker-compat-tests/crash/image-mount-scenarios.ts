/** Containers that have an image mounted: its layers are a mount more, which no death of the daemon may leave behind. */
import { dockerTs } from '../support/programs.ts'
import { cli, does, type Scenario, type Stage } from './scenarios.ts'

/** Debian's docker speaks an API that has no such mounts. */
const byOurs = (stage: Stage): Stage => ({ ...stage, program: dockerTs })

const mount = [
  '--mount',
  'type=image,source=busybox,target=/image',
  '--mount',
  'type=image,source=busybox,target=/part,image-subpath=etc',
]
const looks = 'ls /image/bin/busybox /part/passwd; while [ ! -e /go ]; do sleep 0.05; done; exit 7'
const seen = '/image/bin/busybox\n/part/passwd\n'

const create = (stage: Stage) =>
  does(byOurs(stage), 'create', '--name', 'box', '--network', 'none', ...mount, 'busybox', 'sh', '-c', looks)

async function endsWhole(stage: Stage, runs: number): Promise<void> {
  await does(stage, 'exec', 'box', 'touch', '/go')
  stage.t.equal(await does(stage, 'wait', 'box'), '7\n')
  stage.t.equal(await does(stage, 'logs', 'box'), seen.repeat(runs), 'the image and the part of it were there')
}

export const imageMountScenarios: Scenario[] = [
  {
    name: 'start with images mounted',
    points: ['start:root-filesystem-mounted', 'start:prepared', 'start:spec-written'],
    prepare: create,
    act: (stage) => cli(stage, 'start', 'box'),
    async again(stage) {
      await does(stage, 'start', 'box')
      await endsWhole(stage, 1)
    },
  },
  {
    name: 'exit with images mounted',
    points: ['exit:recorded', 'exit:unmounted'],
    async prepare(stage) {
      await create(stage)
      await does(stage, 'start', 'box')
    },
    act: (stage) => cli(stage, 'exec', 'box', 'touch', '/go'),
    async again(stage) {
      stage.t.equal(await does(stage, 'wait', 'box'), '7\n')
      // What it has written is kept, so it ends at once.
      await does(stage, 'start', 'box')
      stage.t.equal(await does(stage, 'wait', 'box'), '7\n')
      stage.t.equal(await does(stage, 'logs', 'box'), seen.repeat(2))
    },
  },
]
