/** Log drivers end to end: what containers write reaches real targets, over crashes of the daemon and of the target. */
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import t from 'tap'
import { startDaemon } from './support/daemon.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { docker, dockerTs, run } from './support/programs.ts'

const daemon = await startDaemon()
t.teardown(async () => {
  const left = await daemon.stop()
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')
const cli = (program: string, ...argv: string[]) => run(program, argv, { environment: { DOCKER_HOST: daemon.host } })

/** A syslog server that can be away for a while. */
class Receiver {
  text = ''
  port = 0
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #wake = () => {}

  async listen(): Promise<this> {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('data', (bytes) => {
        this.text += bytes.toString('latin1')
        this.#wake()
      })
    })
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
    return this
  }

  async leave(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
    await new Promise((resolve) => this.#server?.close(resolve))
  }

  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

const syslog = (receiver: Receiver, ...more: string[]) => [
  ...['--log-driver', 'syslog', '--log-opt', `syslog-address=tcp://127.0.0.1:${receiver.port}`],
  ...more.flatMap((option) => ['--log-opt', option]),
]

for (const [name, program] of [
  ['docker', docker],
  ['docker-ts', dockerTs],
] as const) {
  t.test(`${name}: syslog gets every line with the tag, and docker logs works beside it`, async (t) => {
    const receiver = await new Receiver().listen()
    t.teardown(() => receiver.leave())
    const script = 'echo one; echo two >&2; echo three'
    const options = syslog(receiver, 'tag={{.Name}}/{{.ImageName}}', 'syslog-format=rfc3164')
    const result = await cli(program, 'run', '--name', 'logged', ...options, 'busybox', 'sh', '-c', script)
    t.same([result.status, result.stdout, result.stderr], [0, 'one\nthree\n', 'two\n'])
    await receiver.until(/three\n/)
    const lines = receiver.text.split('\n').filter(Boolean)
    t.same(lines.map((line) => /^<(\d+)>.* logged\/busybox\[\d+\]: (.*)$/.exec(line)?.slice(1)).sort(), [
      ['27', 'two'],
      ['30', 'one'],
      ['30', 'three'],
    ])
    const logs = await cli(program, 'logs', 'logged')
    t.same([logs.stdout, logs.stderr], ['one\nthree\n', 'two\n'])
    await cli(program, 'rm', 'logged')
  })

  t.test(`${name}: a target that is not there`, async (t) => {
    const receiver = await new Receiver().listen()
    await receiver.leave()
    const blocking = await cli(program, 'run', '--rm', ...syslog(receiver), 'busybox', 'true')
    t.equal(blocking.status, 125)
    t.match(
      blocking.stderr,
      `failed to create task for container: failed to initialize logging driver: dial tcp 127.0.0.1:${receiver.port}: connect: connection refused`,
    )
    const free = await cli(
      program,
      ...['run', '--name', 'free', ...syslog(receiver, 'mode=non-blocking'), 'busybox', 'echo', 'kept'],
    )
    t.same([free.status, free.stdout], [0, 'kept\n'])
    t.equal((await cli(program, 'logs', 'free')).stdout, 'kept\n')
    t.notMatch(receiver.text, /kept/)
    await receiver.listen()
    t.teardown(() => receiver.leave())
    await receiver.until(/kept\n/)
    await cli(program, 'rm', 'free')
  })

  t.test(`${name}: unknown drivers and options are refused in Docker’s words`, async (t) => {
    const refused: [string[], string][] = [
      [['--log-driver', 'nope'], 'error looking up logging plugin nope: plugin "nope" not found'],
      [['--log-driver', 'syslog', '--log-opt', 'x=1'], "unknown log opt 'x' for syslog log driver"],
      [['--log-driver', 'gelf'], 'gelf-address is a required parameter'],
      [['--log-driver', 'json-file', '--log-opt', 'max-buffer-size=1m'], 'max-buffer-size option is only supported'],
    ]
    for (const [options, message] of refused) {
      const result = await cli(program, 'create', ...options, 'busybox')
      t.equal(result.status, 1)
      t.match(result.stderr, message)
    }
    t.same((await cli(program, 'ps', '-aq')).stdout, '')
  })
}

t.test('no line is lost when the daemon is killed while the target is away', async (t) => {
  const receiver = await new Receiver().listen()
  t.teardown(() => receiver.leave())
  const script = 'i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo "line $i."; usleep 5000; done'
  const options = syslog(receiver, 'mode=non-blocking')
  await cli(dockerTs, 'run', '-d', '--name', 'writer', ...options, 'busybox', 'sh', '-c', script)
  await receiver.until(/line 20\./)
  await receiver.leave()
  await daemon.kill()
  await daemon.start()
  await receiver.listen()
  await daemon.kill()
  await daemon.start()
  await receiver.until(/line 400\./)
  const seen = new Set([...receiver.text.matchAll(/line (\d+)\./g)].map(([, number]) => Number(number)))
  // What was in the broken connection's buffers is out of anybody's reach; everything else came, some of it twice.
  const missing = Array.from({ length: 400 }, (_, index) => index + 1).filter((number) => !seen.has(number))
  t.ok(missing.length <= 20, `missing: ${missing.join(' ')}`)
  t.same((await cli(dockerTs, 'rm', '-f', 'writer')).status, 0)
})

t.test('rotated files of the driver local are compressed, and read', async (t) => {
  const script = 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "line $i"; done'
  const options = ['--log-driver', 'local', '--log-opt', 'max-size=20k', '--log-opt', 'max-file=20']
  await cli(dockerTs, 'run', '--name', 'rotated', ...options, 'busybox', 'sh', '-c', script)
  const id = (await cli(dockerTs, 'inspect', '-f', '{{.Id}}', 'rotated')).stdout.trim()
  const names = readdirSync(`${daemon.directory}/data/containers/${id}`)
  t.ok(names.filter((name) => name.endsWith('.gz')).length > 3, names.join(' '))
  const { stdout } = await cli(dockerTs, 'logs', 'rotated')
  t.same(
    stdout.split('\n').filter(Boolean),
    Array.from({ length: 3000 }, (_, index) => `line ${index + 1}`),
  )
  await cli(dockerTs, 'rm', 'rotated')
})
