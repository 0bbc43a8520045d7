import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { buildProgram } from './testing/test-bundle.ts'

const program = buildProgram()

function start(argv: readonly string[]): ChildProcess {
  return spawn(program, argv, { argv0: '/sbin/docker-init', stdio: ['pipe', 'pipe', 'pipe'] })
}

async function run(argv: readonly string[]) {
  const child = start(argv)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [code, signal] = await once(child, 'close')
  return { code, signal, stdout, stderr }
}

t.test('it ends with the code of the program', async (t) => {
  t.match(await run(['--', 'sh', '-c', 'echo out; exit 7']), { code: 7, stdout: 'out\n', stderr: '' })
  t.match(await run(['sh', '-c', 'exit 3']), { code: 3 }, 'the dashes may be left out')
  t.match(await run(['--', 'sh', '-c', 'kill -9 $$']), { code: 137, signal: null })
})

t.test('a program that cannot be run has the codes of a shell', async (t) => {
  t.match(await run(['--', '/no/such']), {
    code: 127,
    stderr: 'docker-init: exec /no/such failed: No such file or directory\n',
  })
  t.match(await run(['--', '/etc/passwd']), { code: 126, stderr: /Permission denied/ })
  t.match(await run([]), { code: 1, stderr: /usage/ })
})

t.test('signals are handed on', async (t) => {
  const child = start(['--', 'sh', '-c', 'trap "echo got; exit 4" TERM; echo ready; while :; do sleep 0.02; done'])
  const lines: string[] = []
  for await (const chunk of child.stdout ?? []) {
    lines.push(String(chunk).trim())
    if (lines.length === 1) child.kill('SIGTERM')
  }
  t.same(lines, ['ready', 'got'])
  if (child.exitCode === null) await once(child, 'exit')
  t.equal(child.exitCode, 4)
})

t.test('orphans are reaped, and do not end it', async (t) => {
  // The inner shell leaves a child behind; its new parent is the init, which must not keep it as a zombie.
  const script = `
    sh -c 'sh -c "read x < $0; exit 9" & echo $!' fifo > pid
    orphan=$(cat pid)
    read -r _ _ _ parent rest < /proc/$orphan/stat
    echo parent $((parent == PPID))
    echo > fifo
    while [ -e /proc/$orphan ]; do :; done
    echo gone
    exit 5`
  const directory = t.testdir({})
  const { code, stdout } = await run(['--', 'sh', '-c', `cd "$0" && mkfifo fifo && ${script.trim()}`, directory])
  t.match({ code, stdout }, { code: 5, stdout: 'parent 1\ngone\n' })
})

t.test('the program has the signal mask and dispositions that the init was given', async (t) => {
  const { stdout } = await run(['--', 'grep', '-E', '^Sig(Blk|Ign)', '/proc/self/status'])
  t.match(stdout, /SigBlk:\t0000000000000000\n/)
  const ignored = BigInt(`0x${/SigIgn:\t(\w+)/.exec(stdout)?.[1]}`)
  // SIGTTIN and SIGTTOU, which the init itself ignores.
  t.equal(ignored & (3n << 20n), 0n)
})
