/**
 * Runs the checks and all tests with tap and prints `N passed, N failed` last (assertions; each check counts as one).
 * Tests without the kernel run side by side; those that use it (host, crash, compat) one file after the other, because
 * they measure what is left on the machine.
 */
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const node = process.execPath
const patterns = process.argv.slice(2)

interface Counts {
  passed: number
  failed: number
}

/** Runs a program with its output passed through; answers its exit status and the last lines of stdout. */
function run(argv: readonly string[]): Promise<{ status: number; tail: string }> {
  return new Promise((resolve, reject) => {
    const [program = '', ...rest] = argv
    const child = spawn(program, rest, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TAP_SNAPSHOT: '' },
    })
    let tail = ''
    child.stdout.on('data', (chunk: Buffer) => {
      process.stdout.write(chunk)
      tail = (tail + chunk.toString('latin1')).slice(-4096)
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ status: code ?? 1, tail }))
  })
}

async function check(title: string, argv: readonly string[]): Promise<Counts> {
  console.log(`# ${title}`)
  const { status } = await run(argv)
  console.log(`${status === 0 ? 'ok' : 'not ok'} - ${title}`)
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

async function tap(title: string, files: readonly string[], jobs: number): Promise<Counts> {
  if (files.length === 0) return { passed: 0, failed: 0 }
  console.log(`# ${title}: ${files.length} files`)
  const { status, tail } = await run([
    node,
    'node_modules/.bin/tap',
    'run',
    '--reporter=terse',
    `--jobs=${jobs}`,
    '--timeout=600',
    ...files,
  ])
  const summary = /# \{ total: (\d+)([^}]*)\}/.exec(tail)
  const number = (key: string) => Number(new RegExp(`${key}: (\\d+)`).exec(summary?.[2] ?? '')?.[1] ?? 0)
  const failed = number('fail')
  // tap that ended badly without counting a failure (a file that crashed, no summary) is a failure all the same.
  return { passed: number('pass'), failed: status !== 0 && failed === 0 ? 1 : failed }
}

const wanted = (file: string) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern))
const files = [
  ...globSync('packages/*/{src,test}/**/*.test.ts', { cwd: root }),
  ...globSync('docker-compat-tests/**/*.test.ts', {
    cwd: root,
    exclude: (path) => String(path).includes('node_modules'),
  }),
  ...globSync('scripts/**/*.test.ts', { cwd: root }),
]
  .filter(wanted)
  .sort()
const usesKernel = (file: string) => /\.host\.test\.ts$|\/crash\/|^docker-compat-tests\//.test(file)

/** Where the compat tests' daemons note which client called what. */
const records = mkdtempSync(join(tmpdir(), 'dts-calls-'))
process.env.COMPATIBILITY_RECORDS ??= records

const results: Counts[] = []
if (patterns.length === 0) results.push(await check('format, lint, types, architecture', ['scripts/check']))
await run([node, 'node_modules/.bin/tap', 'build'])
results.push(
  await tap(
    'unit tests',
    files.filter((file) => !usesKernel(file)),
    availableParallelism(),
  ),
)
/** What V8 has compiled is kept from one daemon or client to the next: there are thousands of them. */
const compiled = mkdtempSync(join(tmpdir(), 'dts-compiled-'))
process.env.NODE_COMPILE_CACHE = compiled
results.push(await tap('host, crash and compat tests', files.filter(usesKernel), 1))
if (patterns.length === 0) {
  const claims = ['scripts/node', 'scripts/compatibility/main.ts', 'seen', process.env.COMPATIBILITY_RECORDS]
  results.push(await check('docs/compatibility.md says what this run saw', claims))
}
for (const directory of [records, compiled]) rmSync(directory, { recursive: true, force: true })
const total = results.reduce((sum, { passed, failed }) => ({
  passed: sum.passed + passed,
  failed: sum.failed + failed,
}))
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
