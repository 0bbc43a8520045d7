/** Streams by dockerode: attach, exec and logs, plain and with a terminal, input closed by half. */
import { PassThrough } from 'node:stream'
import t from 'tap'
import { dockerode, image, leavesNothing, refusal, startWithImage, text } from '../support/sdk.ts'

const daemon = await startWithImage()
const docker = dockerode(daemon)

/** What a multiplexed stream holds, taken apart by dockerode. */
async function demultiplexed(stream: NodeJS.ReadableStream): Promise<{ out: string; err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()]
  docker.modem.demuxStream(stream, out, err)
  stream.on('end', () => {
    out.end()
    err.end()
  })
  const [outText, errText] = await Promise.all([text(out), text(err)])
  return { out: outText, err: errText }
}

const create = (script: string, extra: object = {}) =>
  docker.createContainer({ Image: image, Cmd: ['sh', '-c', script], ...extra })

t.test('attach before start has every byte of both streams, and ends with the container', async (t) => {
  const container = await create('echo out; echo err >&2; exit 3')
  const stream = await container.attach({ stream: true, stdout: true, stderr: true, hijack: true })
  const streams = demultiplexed(stream)
  await container.start()
  t.same(await streams, { out: 'out\n', err: 'err\n' })
  t.same(await container.wait(), { StatusCode: 3 })
  await container.remove()
})

t.test('attach without an upgrade (plain POST) works as well', async (t) => {
  const container = await create('echo plain')
  const stream = await container.attach({ stream: true, stdout: true, stderr: true })
  const streams = demultiplexed(stream)
  await container.start()
  t.same(await streams, { out: 'plain\n', err: '' })
  await container.wait()
  await container.remove()
})

t.test('the end of input is heard while output goes on', async (t) => {
  const options = { OpenStdin: true, StdinOnce: true, AttachStdin: true }
  const container = await create('wc -c; echo after', options)
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })
  const streams = demultiplexed(stream)
  await container.start()
  stream.write('x'.repeat(100_000))
  stream.end('y')
  t.same(await streams, { out: '100001\nafter\n', err: '' })
  await container.wait()
  await container.remove()
})

t.test('with a terminal: one raw stream, its size can be set, a signal key reaches the program', async (t) => {
  const container = await create('trap "exit 9" INT; read line; stty size; while :; do sleep 0.1; done', {
    Tty: true,
    OpenStdin: true,
  })
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })
  const all = text(stream)
  await container.start()
  await container.resize({ h: 31, w: 97 })
  stream.write('go\n')
  await sees(container, '31 97')
  stream.write('\x03')
  t.match(await container.wait(), { StatusCode: 9 })
  t.match(await all, 'go\r\n31 97\r\n')
  await container.remove()
})

/** Resolves when the container's log holds the text. */
async function sees(container: ReturnType<typeof docker.getContainer>, wanted: string): Promise<void> {
  const stream = await container.logs({ follow: true, stdout: true, stderr: true })
  let seen = ''
  for await (const chunk of stream) {
    seen += chunk
    if (seen.includes(wanted)) return
  }
  throw new Error(`the log ended without ${wanted}: ${seen}`)
}

t.test('attach with logs replays what was said before', async (t) => {
  const container = await create('echo early; read line; echo late', { OpenStdin: true })
  await container.start()
  await sees(container, 'early')
  const stream = await container.attach({ logs: true, stream: true, stdin: true, stdout: true, hijack: true })
  const streams = demultiplexed(stream)
  stream.write('go\n')
  t.same(await streams, { out: 'early\nlate\n', err: '' })
  await container.wait()
  await container.remove()
})

t.test('detach keys end the attachment and leave the container running', async (t) => {
  const container = await create('cat', { Tty: true, OpenStdin: true })
  const options = { stream: true, stdin: true, stdout: true, hijack: true, detachKeys: 'ctrl-a,d' }
  const stream = await container.attach(options)
  const ended = text(stream)
  await container.start()
  stream.write('\x01d')
  await ended
  t.equal((await container.inspect()).State.Running, true)
  await container.remove({ force: true })
})

t.test('attach is refused for what does not exist or is paused', async (t) => {
  t.same(await refusal(docker.getContainer('none').attach({ stream: true })), [404, 'No such container: none'])
  const container = await create('sleep 1000')
  await container.start()
  await container.pause()
  const [status, message] = await refusal(container.attach({ stream: true, stdout: true }))
  t.equal(status, 409)
  t.match(message, 'is paused, unpause the container before attach')
  await container.remove({ force: true })
})

t.test('logs: both streams, one of them, timestamps, tail, since and until', async (t) => {
  const container = await create('echo err >&2; sleep 0.2; for i in 1 2 3; do echo out $i; done')
  await container.start()
  await container.wait()
  const read = async (options: object) => {
    const whole = new PassThrough()
    whole.end(await container.logs({ follow: false, stdout: true, stderr: true, ...options }))
    return demultiplexed(whole)
  }
  t.same(await read({}), { out: 'out 1\nout 2\nout 3\n', err: 'err\n' })
  t.same(await read({ stdout: false }), { out: '', err: 'err\n' })
  t.same(await read({ tail: 1, stderr: false }), { out: 'out 3\n', err: '' })
  t.same(await read({ tail: 0 }), { out: '', err: '' })
  const stamped = (await read({ timestamps: true })).out.split('\n')
  t.match(stamped[0], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out 1$/)
  const [, second = ''] = stamped.map((line) => line.split(' ')[0] ?? '')
  const nanos = BigInt(Date.parse(second.slice(0, 19).concat('Z'))) * 1_000_000n + BigInt(second.slice(20, 29))
  const point = `${nanos / 1_000_000_000n}.${String(nanos % 1_000_000_000n).padStart(9, '0')}`
  t.same((await read({ since: point })).out, 'out 2\nout 3\n', 'since is inclusive, to the nanosecond')
  t.same((await read({ until: point, stderr: false })).out, 'out 1\nout 2\n')
  const [status, message] = await refusal(container.logs({ follow: false, stdout: false, stderr: false }))
  t.same([status, message], [400, 'Bad parameters: you must choose at least one stream'])
  await container.remove()
})

t.test('logs follow to the end of the container; the log of a terminal is raw', async (t) => {
  const container = await create('echo one; read line; echo two', { Tty: true, OpenStdin: true })
  const input = await container.attach({ stream: true, stdin: true, hijack: true })
  await container.start()
  const followed = text(await container.logs({ follow: true, stdout: true, stderr: true }))
  await sees(container, 'one')
  input.write('x\n')
  t.equal(await followed, 'one\r\nx\r\ntwo\r\n')
  await container.wait()
  await container.remove()
})

t.test('exec: streams, exit code, environment, user and directory', async (t) => {
  const container = await create('sleep 1000')
  await container.start()
  const exec = await container.exec({
    Cmd: ['sh', '-c', 'echo $A $PWD $(id -u); echo err >&2; exit 5'],
    AttachStdout: true,
    AttachStderr: true,
    Env: ['A=1'],
    User: 'user',
    WorkingDir: '/tmp',
  })
  t.match(await exec.inspect(), { Running: false, ExitCode: null, ContainerID: container.id })
  const streams = await demultiplexed(await exec.start({}))
  t.same(streams, { out: '1 /tmp 1000\n', err: 'err\n' })
  t.match(await exec.inspect(), {
    ID: exec.id,
    Running: false,
    ExitCode: 5,
    ProcessConfig: { entrypoint: 'sh', user: 'user', tty: false, privileged: false },
    OpenStdin: false,
    OpenStdout: true,
    OpenStderr: true,
    CanRemove: false,
  })
  t.match(await text(await exec.start({})), `Error: Exec command ${exec.id} has already run`, 'an exec runs once')
  await container.remove({ force: true })
})

t.test('exec: input with its end, a terminal with a size, detached, refused', async (t) => {
  const container = await create('sleep 1000')
  const command = { Cmd: ['true'], AttachStdout: true }
  t.same(await refusal(container.exec(command)), [409, `container ${container.id} is not running`])
  await container.start()
  const counted = await container.exec({ Cmd: ['wc', '-c'], AttachStdin: true, AttachStdout: true })
  const stream = await counted.start({ hijack: true, stdin: true })
  const streams = demultiplexed(stream)
  stream.end('12345')
  t.same(await streams, { out: '5\n', err: '' })

  const terminal = await container.exec({ Cmd: ['sh'], AttachStdin: true, AttachStdout: true, Tty: true })
  const raw = await terminal.start({ hijack: true, stdin: true, Tty: true })
  const all = text(raw)
  await terminal.resize({ h: 11, w: 55 })
  raw.write('stty size; exit 6\n')
  t.match(await all, '11 55')
  t.equal((await terminal.inspect()).ExitCode, 6)

  const detached = await container.exec({ Cmd: ['sh', '-c', 'echo done > /mark'] })
  await detached.start({ Detach: true })
  const poll = await container.exec({
    Cmd: ['sh', '-c', 'while [ ! -s /mark ]; do sleep 0.05; done; cat /mark'],
    AttachStdout: true,
  })
  t.same(await demultiplexed(await poll.start({})), { out: 'done\n', err: '' })

  t.same(await refusal(container.exec({ Cmd: [], AttachStdout: true })), [400, 'No exec command specified'])
  t.same(await refusal(docker.getExec('0123').inspect()), [404, 'No such exec instance: 0123'])
  const missing = await container.exec({ Cmd: ['/no/such'], AttachStdout: true })
  await text(await missing.start({})).catch(() => {})
  t.ok([126, 127].includes((await missing.inspect()).ExitCode as number))
  await container.remove({ force: true })
})

leavesNothing(t, daemon)
