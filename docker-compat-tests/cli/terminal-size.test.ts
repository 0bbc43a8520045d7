/** A terminal that changes its size while docker or docker-ts runs in it: the container's terminal follows. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { docker, dockerTs, run } from '../support/programs.ts'

const daemon = await startDaemon({ flags: ['--bridge', 'none'] })
t.teardown(async () => {
  const left = await daemon.stop()
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')
const environment = { DOCKER_HOST: daemon.host }

/** Ends when the size is the second one. */
const watch = 'echo ready; until [ "$(stty size)" = "12 24" ]; do sleep 0.05; done; echo resized'

/** Runs the command in a terminal of its own, 11 by 23, and makes it 12 by 24 once it says that it is ready. */
async function inTerminal(program: string, argv: readonly string[]): Promise<string> {
  const words = [program, ...argv, 'sh', '-c', `'${watch}'`].join(' ')
  const child = spawn('script', ['-qec', `tty; stty rows 11 cols 23; exec ${words}`, '/dev/null'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, HOME: '/nonexistent', SHELL: '/bin/sh', ...environment },
  })
  const ended = once(child, 'close')
  let output = ''
  let timer: NodeJS.Timeout | undefined
  child.stdout.on('data', (chunk) => {
    output += chunk
    const terminal = /^\/dev\/pts\/\d+/.exec(output)?.[0]
    if (terminal === undefined || timer !== undefined || !output.includes('ready')) return
    // A client that does not listen for changes yet hears of a later one: the size changes until it is seen.
    let rows = 11
    timer = setInterval(() => {
      rows = rows === 12 ? 11 : 12
      execFileSync('stty', ['-F', terminal, 'rows', String(rows), 'cols', String(rows + 12)])
    }, 200)
  })
  await ended
  clearInterval(timer)
  return output
}

for (const program of [docker, dockerTs]) {
  const name = program === docker ? 'docker' : 'docker-ts'
  t.test(`${name}: run and exec`, async (t) => {
    t.match(await inTerminal(program, ['run', '--rm', '-t', '--network', 'none', 'busybox']), 'resized')
    await run(program, ['run', '-d', '--name', name, '--network', 'none', 'busybox', 'sleep', '1000'], { environment })
    t.match(await inTerminal(program, ['exec', '-t', name]), 'resized')
  })
}
