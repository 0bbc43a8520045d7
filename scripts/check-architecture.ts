/**
 * Holds the rules of docs/architecture.md against the code: which package may import which, that core's imports from
 * api are types, that only linux/command and linux/syscalls start programs, and that no file outgrows its bound.
 */
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Allowed dependencies per package; the manifest must list no other. */
const allowed: Record<string, readonly string[]> = {
  api: ['zod'],
  'go-template': [],
  core: ['@dockerd-ts/api', '@dockerd-ts/go-template'],
  store: ['@dockerd-ts/core', 'better-sqlite3'],
  linux: ['@dockerd-ts/core', 'yaml', 'zod'],
  'log-drivers': ['@dockerd-ts/core', '@msgpack/msgpack'],
  images: ['@dockerd-ts/core', '@dockerd-ts/linux', 'undici', 'zod'],
  daemon: [
    '@dockerd-ts/api',
    '@dockerd-ts/core',
    '@dockerd-ts/images',
    '@dockerd-ts/linux',
    '@dockerd-ts/log-drivers',
    '@dockerd-ts/store',
    'commander',
    'fastify',
    'pino',
    'zod',
  ],
  cli: ['@dockerd-ts/api', '@dockerd-ts/go-template', 'commander', 'undici'],
}

/** Lines; only ever made smaller. Tests and migrations are not counted. */
const FILE_LINES_MAX = 600

const problems: string[] = []
const report = (file: string, text: string) => problems.push(`${file}: ${text}`)

for (const [name, list] of Object.entries(allowed)) {
  const manifest = JSON.parse(readFileSync(`${root}/packages/${name}/package.json`, 'utf8')) as {
    dependencies?: Record<string, string>
  }
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    if (!list.includes(dependency)) report(`packages/${name}/package.json`, `${name} may not depend on ${dependency}`)
  }
}

const importLine = /^(?:import|export)\s+(type\s+)?[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm
for (const file of globSync('packages/*/src/**/*.ts', { cwd: root }).sort()) {
  const [, name = ''] = file.split('/')
  const isTest = /\.test\.ts$|\/testing\//.test(file)
  const source = readFileSync(`${root}/${file}`, 'utf8')
  const lines = source.split('\n').length
  if (!isTest && !file.includes('/migrations/') && lines > FILE_LINES_MAX)
    report(file, `${lines} lines; split it (at most ${FILE_LINES_MAX})`)
  for (const [, type, from, bare] of source.matchAll(importLine)) {
    const target = from ?? bare ?? ''
    if (target.startsWith('.') || target.startsWith('node:')) {
      if (
        !isTest &&
        target === 'node:child_process' &&
        !/^packages\/(linux\/src\/(command|syscalls)|daemon|cli)\//.test(file)
      ) {
        report(file, 'programs are started from linux/command and linux/syscalls only')
      }
      if (!isTest && name === 'core' && /^node:(fs|net|http|child_process|dgram|tls|https)/.test(target))
        report(file, `core does no I/O, but imports ${target}`)
      continue
    }
    const pkg = target
      .split('/')
      .slice(0, target.startsWith('@') ? 2 : 1)
      .join('/')
    if (isTest) continue
    if (!(allowed[name] ?? []).includes(pkg)) report(file, `${name} may not import ${pkg}`)
    if (name === 'core' && pkg === '@dockerd-ts/api' && !type) report(file, 'core imports only types from api')
  }
}

for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
