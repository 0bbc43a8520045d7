import t from 'tap'
import type { ImageSummary } from '../client/wire.ts'
import { renderImageTree } from './image-tree.ts'

const manifest = (architecture: string, available: boolean, containers: string[] = []) => ({
  ID: `sha256:${architecture.padEnd(64, '0')}`,
  Available: available,
  Kind: 'image',
  Size: available ? { Content: 4_000_000, Total: 12_000_000 } : { Content: 0, Total: 0 },
  ImageData: { Platform: { os: 'linux', architecture }, Containers: containers },
})

const image = (fields: Partial<ImageSummary>): ImageSummary => ({
  Id: `sha256:${'a'.repeat(64)}`,
  RepoTags: ['app:1'],
  RepoDigests: [],
  Created: 1,
  Size: 12_000_000,
  SharedSize: -1,
  Labels: null,
  Containers: 0,
  ...fields,
})

const multi = image({
  RepoTags: ['app:1', 'registry.example/a/longer:name'],
  Created: 2,
  Manifests: [manifest('amd64', true, ['c1']), manifest('arm64', false)],
})
const single = image({ RepoTags: [], Manifests: [] })

t.test('a pipe gets the columns without colours; the newest image first, its longest name above', async (t) => {
  const text = renderImageTree([single, multi], { isTerminal: false, columns: 0 })
  t.same(text.split('\n').slice(1, 3), [`${' '.repeat(62)}Info ->  U In Use `, ''])
  t.same(text.split('\n').slice(4), [
    'registry.example/a/longer:name',
    'app:1                           aaaaaaaaaaaa         12MB            4MB   U    ',
    '├─ linux/amd64                  amd640000000         12MB            4MB   U    ',
    '└─ linux/arm64                  arm640000000           0B             0B        ',
    '',
    '<untagged>                      aaaaaaaaaaaa         12MB             0B        ',
    '',
    '',
  ])
})

t.test('a narrow terminal loses columns from the right, then the ends of names', async (t) => {
  const lines = (columns: number) =>
    renderImageTree([multi], { isTerminal: true, columns })
      .replaceAll(/\x1b\[[0-9;]*m/g, '')
      .split('\n')
      .slice(3, 6)
  t.same(lines(44), [
    'IMAGE              ID             DISK USAGE',
    'registry.example/a/longer:name',
    'app:1              aaaaaaaaaaaa         12MB',
  ])
  t.same(lines(20), ['IMAGE               ', 'registry.example/a/…', 'app:1               '])
})
