/** Bundles each program into one file below dist/: fewer files to load means a faster start. Commands load on demand. */

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { forgetOldChunks } from './chunks.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** A source tree without its history (an archive of a release) does not know its commit. */
function commit(): string {
  const git = (...argv: string[]) =>
    execFileSync('git', ['-C', root, ...argv], { encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', '--short=7', 'HEAD')}${changed ? '-changed' : ''}`
  } catch {
    return 'unknown'
  }
}

/** https://reproducible-builds.org/specs/source-date-epoch/ */
const { SOURCE_DATE_EPOCH: epochSeconds } = process.env
const builtAt = epochSeconds === undefined ? new Date() : new Date(Number(epochSeconds) * 1000)

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  legalComments: 'none',
  logLevel: 'warning',
  sourcemap: 'linked',
  // Packages in CommonJS call require; in a module it has to be made.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
} as const

const client = await build({
  ...common,
  entryPoints: { 'docker-ts': 'packages/cli/src/main.ts' },
  outdir: 'dist',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  minify: true,
  sourcemap: false,
  metafile: true,
})
const daemon = await build({
  ...common,
  entryPoints: { 'dockerd-ts': 'packages/daemon/src/main.ts' },
  outdir: 'dist',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  define: { DOCKERD_TS_BUILD: JSON.stringify({ commit: commit(), time: builtAt.toISOString() }) },
  // Names are kept for stack traces. The text stays in memory, with two bytes a character if one is beyond Latin-1.
  minifyWhitespace: true,
  minifySyntax: true,
  // A native addon that is found next to its own package.
  external: ['better-sqlite3'],
  metafile: true,
})
// A daemon that runs still loads chunks of the build that it was started from.
forgetOldChunks(
  `${root}/dist`,
  [client, daemon].flatMap(({ metafile }) => Object.keys(metafile.outputs)),
)
