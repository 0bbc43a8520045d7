/** The events of whole operations by the real docker CLI: names, attributes and order as dockerd 26 sends them. */
import t from 'tap'
import { call, startDaemon } from './support/daemon.ts'
import { nextEvent } from './support/events.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { docker, run } from './support/programs.ts'

const daemon = await startDaemon()
t.teardown(async () => {
  const left = await daemon.stop()
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
const cli = (...argv: string[]) => run(docker, argv, { environment: { DOCKER_HOST: daemon.host } })
await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')

interface Event {
  status?: string
  id?: string
  from?: string
  Type: string
  Action: string
  Actor: { ID: string; Attributes: Record<string, string> }
  time: number
  timeNano: number
}

let seen = 0
/** What happened since the last call, `Type Action {attributes}`; ids are shortened to `ID`. */
async function happened(version = '1.45'): Promise<string[]> {
  const { body } = await call(daemon.socket, 'GET', `/v${version}/events?since=0&until=0`)
  const events = body.trim().split('\n')
  const news = events.slice(seen).map((line) => JSON.parse(line) as Event)
  seen = events.length
  return news.map(({ Type, Action, Actor }) =>
    `${Type} ${Action} ${JSON.stringify(Actor.Attributes)}`.replaceAll(/[0-9a-f]{64}/g, 'ID'),
  )
}

t.test('the life of a container', async (t) => {
  await happened()
  const own = '"image":"busybox","l":"1","name":"web"'
  const bridge = `{"container":"ID","name":"bridge","type":"bridge"}`
  await cli('run', '-d', '--name', 'web', '--label', 'l=1', '-v', 'data:/d', 'busybox', 'sleep', '600')
  t.strictSame(await happened(), [
    'volume create {"driver":"local"}',
    `container create {${own}}`,
    `network connect ${bridge}`,
    'volume mount {"container":"ID","destination":"/d","driver":"local","propagation":"","read/write":"true"}',
    `container start {${own}}`,
  ])
  await cli('exec', 'web', 'true')
  await cli('exec', 'web', 'sh', '-c', 'exit 3')
  await cli('exec', 'web', 'nope')
  t.strictSame(await happened(), [
    `container exec_create: true  {"execID":"ID",${own}}`,
    `container exec_start: true  {"execID":"ID",${own}}`,
    `container exec_die {"execID":"ID","exitCode":"0",${own}}`,
    `container exec_create: sh -c exit 3 {"execID":"ID",${own}}`,
    `container exec_start: sh -c exit 3 {"execID":"ID",${own}}`,
    `container exec_die {"execID":"ID","exitCode":"3",${own}}`,
    `container exec_create: nope  {"execID":"ID",${own}}`,
    `container exec_start: nope  {"execID":"ID",${own}}`,
  ])
  await cli('kill', '-s', 'WINCH', 'web')
  await cli('pause', 'web')
  await cli('unpause', 'web')
  await cli('rename', 'web', 'www')
  await cli('top', 'www')
  await cli('update', '--cpu-shares', '100', 'www')
  t.strictSame(await happened(), [
    `container kill {${own},"signal":"28"}`,
    `container pause {${own}}`,
    `container unpause {${own}}`,
    'container rename {"image":"busybox","l":"1","name":"www","oldName":"/web"}',
    'container top {"image":"busybox","l":"1","name":"www"}',
    'container update {"image":"busybox","l":"1","name":"www"}',
  ])
  await cli('rm', '-f', 'www')
  t.match(await happened(), [
    'container kill {"image":"busybox","l":"1","name":"www","signal":"9"}',
    `network disconnect ${bridge}`,
    'volume unmount {"container":"ID","driver":"local"}',
    /^container die \{"execDuration":"\d+","exitCode":"137","image":"busybox","l":"1","name":"www"\}$/,
    'container destroy {"image":"busybox","l":"1","name":"www"}',
  ])
  await cli('volume', 'rm', 'data')
  t.strictSame(await happened(), ['volume destroy {"driver":"local"}'])
})

t.test('out of memory: told at once when another than the first process is killed', async (t) => {
  const script = 'tail /dev/zero; read go; exit 0'
  await cli('run', '-di', '--name', 'hungry', '-m', '16m', '--network', 'none', 'busybox', 'sh', '-c', script)
  await nextEvent(daemon.socket, 'hungry', 'oom')
  const state = async () =>
    (await cli('inspect', '--format', '{{.State.Status}} {{.State.OOMKilled}} {{.State.ExitCode}}', 'hungry')).stdout
  t.equal(await state(), 'running true 0\n')
  await run(docker, ['attach', 'hungry'], { environment: { DOCKER_HOST: daemon.host }, input: 'go\n' })
  t.equal(await state(), 'exited true 0\n')
  const told = await happened()
  t.strictSame(
    told.map((line) => line.split(' ').slice(0, 2).join(' ')).filter((action) => /oom|die/.test(action)),
    ['container oom', 'container die'],
  )
  const none = '{"container":"ID","name":"none","type":"null"}'
  t.strictSame(
    told.filter((line) => line.startsWith('network connect')),
    [`network connect ${none}`],
  )
  await cli('rm', 'hungry')
  await happened()
})

t.test('stop, restart, and a start that fails', async (t) => {
  await cli(
    'run',
    '-d',
    '--name',
    'web',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'trap exit TERM; sleep 600 & wait',
  )
  await happened()
  await cli('restart', 'web')
  await cli('stop', 'web')
  const actions = (await happened()).filter((line) => line.startsWith('container')).map((line) => line.split(' ')[1])
  t.strictSame(actions, ['kill', 'die', 'stop', 'start', 'restart', 'kill', 'die', 'stop'])
  await cli('rm', 'web')
  await happened()
  await cli('run', '--name', 'bad', '-v', '/data', 'busybox', 'nope')
  await cli('rm', '-v', 'bad')
  t.strictSame(
    (await happened()).map((line) => line.split(' {')[0]),
    [
      'volume create',
      ...['container create', 'container attach'],
      ...['network connect', 'volume mount', 'network disconnect', 'volume unmount'],
      ...['volume destroy', 'container destroy'],
    ],
  )
})

t.test('networks, images and prunes', async (t) => {
  await happened()
  await cli('network', 'create', 'front')
  await cli('network', 'rm', 'front')
  await cli('network', 'prune', '-f')
  await cli('container', 'prune', '-f')
  await cli('volume', 'prune', '-f')
  await cli('tag', 'busybox', 'other:1')
  await cli('rmi', 'other:1')
  t.strictSame(await happened(), [
    'network create {"name":"front","type":"bridge"}',
    'network destroy {"name":"front","type":"bridge"}',
    'network prune {"reclaimed":"0"}',
    'container prune {"reclaimed":"0"}',
    'volume prune {"reclaimed":"0"}',
    'image tag {"name":"other:1"}',
    'image untag {"name":"sha256:ID"}',
  ])
})

t.test('the keys of older versions, the framings, and what is kept over kill -9', async (t) => {
  const read = (version: string) => call(daemon.socket, 'GET', `/v${version}/events?since=0&until=0`)
  const old = await read('1.45')
  const lines = old.body.trim().split('\n')
  const parsed = lines.map((line) => JSON.parse(line) as Event)
  const start = parsed.find(({ Action }) => Action === 'start')
  t.match(start, { status: 'start', id: start?.Actor.ID, from: 'busybox' })
  const prune = parsed.find(({ Type, Action }) => Type === 'container' && Action === 'prune')
  t.strictSame([prune?.status, 'id' in (prune ?? {}), 'from' in (prune ?? {})], ['prune', false, false])
  t.equal(old.headers['content-type'], 'application/json')
  const newest = await read('1.52')
  t.equal(newest.headers['content-type'], 'application/jsonl')
  t.notOk('status' in JSON.parse(newest.body.split('\n')[0] ?? ''))
  await daemon.kill()
  await daemon.start()
  t.strictSame((await read('1.45')).body.trim().split('\n').slice(0, lines.length), lines)
})
