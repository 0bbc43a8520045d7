/** `system df`: shows how much disk the daemon uses. */
import type { Row } from '@dockerd-ts/go-template/values'
import type { ContainerSummary, ImageSummary, Volume } from '../client/wire.ts'
import { defineCommand, noArguments } from '../command.ts'
import { containerColumns } from '../format/container-columns.ts'
import { imageColumns, imageRows } from '../format/image-columns.ts'
import { type Columns, compile, isTable, renderListing, resolveFormat, rowOf, templateOf } from '../format/listing.ts'
import { ago, humanSize } from '../format/units.ts'
import { volumeColumns } from '../format/volume-columns.ts'
import { bool } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'

interface CacheRecord {
  ID: string
  Type: string
  InUse: boolean
  Shared: boolean
  Size: number
  CreatedAt: string
  LastUsedAt: string | null
  UsageCount: number
  Parent?: string
}

interface DiskUsage {
  LayersSize: number
  Images: ImageSummary[] | null
  Containers: ContainerSummary[] | null
  Volumes: Volume[] | null
  BuildCache: CacheRecord[] | null
}

interface Usage {
  type: string
  total: number
  active: number
  size: number
  reclaimable: number
  /** Whether a share is shown beside the reclaimable size. */
  share: boolean
}

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'Show how much disk the daemon uses',
  args: noArguments,
  flags: { format: formatFlag('', true), verbose: bool('v', 'Show every object') },
  async run({ cli, flags }) {
    const usage = await (await cli.api()).json<DiskUsage>('GET', '/system/df')
    if (flags.verbose) {
      const asked = flags.format === '' || flags.format === 'table' ? undefined : flags.format
      return cli.out(await (asked === undefined ? verbose(usage) : rendered(usage, asked)))
    }
    const format = resolveFormat(flags.format, '{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}')
    cli.out(await renderListing({ items: summary(usage), columns: usageColumns, format }))
  },
})

const usageColumns: Columns<Usage> = {
  rowType: '*formatter.diskUsageImagesContext',
  headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
  values: {
    Type: (usage) => usage.type,
    TotalCount: (usage) => String(usage.total),
    Active: (usage) => String(usage.active),
    Size: (usage) => humanSize(usage.size),
    Reclaimable: (usage) => {
      const text = humanSize(usage.reclaimable)
      return usage.share && usage.size > 0 ? `${text} (${Math.trunc((usage.reclaimable * 100) / usage.size)}%)` : text
    },
  },
}

function summary(usage: DiskUsage): Usage[] {
  return [
    imageUsage(usage),
    containerUsage(usage.Containers ?? []),
    volumeUsage(usage.Volumes ?? []),
    cacheUsage(usage.BuildCache ?? []),
  ]
}

function imageUsage({ Images, LayersSize }: DiskUsage): Usage {
  const images = Images ?? []
  const used = images.filter((image) => image.Containers > 0)
  const known = used.filter((image) => image.Size !== -1 && image.SharedSize !== -1)
  const usedBytes = known.reduce((sum, image) => sum + image.Size - image.SharedSize, 0)
  return {
    type: 'Images',
    total: images.length,
    active: used.length,
    size: LayersSize,
    reclaimable: LayersSize - usedBytes,
    share: true,
  }
}

const isActive = ({ State, Status }: ContainerSummary): boolean => /running|paused|restarting/.test(State || Status)

function containerUsage(containers: readonly ContainerSummary[]): Usage {
  const size = containers.reduce((sum, container) => sum + (container.SizeRw ?? 0), 0)
  const idle = containers.filter((container) => !isActive(container))
  const reclaimable = idle.reduce((sum, container) => sum + (container.SizeRw ?? 0), 0)
  return {
    type: 'Containers',
    total: containers.length,
    active: containers.length - idle.length,
    size,
    reclaimable,
    share: true,
  }
}

function volumeUsage(volumes: readonly Volume[]): Usage {
  const sizeOf = (some: readonly Volume[]) =>
    some.reduce((sum, { UsageData }) => sum + Math.max(0, UsageData?.Size ?? 0), 0)
  const unused = volumes.filter(({ UsageData }) => UsageData?.RefCount === 0)
  const active = volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) > 0).length
  return {
    type: 'Local Volumes',
    total: volumes.length,
    active,
    size: sizeOf(volumes),
    reclaimable: sizeOf(unused),
    share: true,
  }
}

function cacheUsage(records: readonly CacheRecord[]): Usage {
  const size = records.filter(({ Shared }) => !Shared).reduce((sum, { Size }) => sum + Size, 0)
  const inUse = records.filter(({ InUse, Shared }) => InUse && !Shared).reduce((sum, { Size }) => sum + Size, 0)
  return {
    type: 'Build Cache',
    total: records.length,
    active: records.filter(({ InUse }) => InUse).length,
    size,
    reclaimable: size - inUse,
    share: false,
  }
}

const cacheColumns: Columns<CacheRecord> = {
  rowType: '*formatter.buildCacheContext',
  headers: {
    ID: 'CACHE ID',
    CacheType: 'CACHE TYPE',
    Size: 'SIZE',
    CreatedSince: 'CREATED',
    LastUsedSince: 'LAST USED',
    UsageCount: 'USAGE',
    Shared: 'SHARED',
  },
  values: {
    ID: ({ ID, InUse }) => ID.slice(0, 12) + (InUse ? '*' : ''),
    CacheType: ({ Type }) => Type,
    Size: ({ Size }) => humanSize(Size),
    CreatedSince: ({ CreatedAt }) => ago(Date.parse(CreatedAt) / 1000),
    LastUsedSince: ({ LastUsedAt }) => (LastUsedAt ? ago(Date.parse(LastUsedAt) / 1000) : ''),
    UsageCount: ({ UsageCount }) => String(UsageCount),
    Shared: ({ Shared }) => String(Shared),
  },
}

/** Everything by one template, with nothing after it; ids are whole unless it is a table's. */
async function rendered(usage: DiskUsage, asked: string): Promise<string> {
  const { GoStruct } = await import('@dockerd-ts/go-template/values')
  const short = isTable(asked)
  const rows = <T>(items: readonly T[], columns: Columns<T>): Row[] => items.map((item) => rowOf(item, columns))
  // No digests are asked for, so none is missed.
  const images = imageRows(usage.Images ?? [], false).map((row) => ({ ...row, digest: '' }))
  const fields = new Map([
    ['Images', rows(images, imageColumns(short))],
    ['Containers', rows(withoutRoots(usage), containerColumns(short))],
    ['Volumes', rows(usage.Volumes ?? [], volumeColumns)],
    ['BuildCache', rows(usage.BuildCache ?? [], cacheColumns)],
  ])
  const template = await compile(templateOf(asked), 'template parsing error')
  return template.render(new GoStruct({ typeName: '*formatter.diskUsageContext', fields }))
}

/** Of containers only what is their own is shown. */
const withoutRoots = ({ Containers }: DiskUsage): ContainerSummary[] =>
  (Containers ?? []).map((container) => ({ ...container, SizeRootFs: 0 }))

async function verbose(usage: DiskUsage): Promise<string> {
  const image =
    '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}'
  const container =
    '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}'
  const cache =
    '{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}'
  const images = await renderListing({
    items: imageRows(usage.Images ?? [], false),
    columns: imageColumns(true),
    format: `table ${image}`,
  })
  const containers = await renderListing({
    items: withoutRoots(usage),
    columns: containerColumns(true),
    format: `table ${container}`,
  })
  const volumes = await renderListing({
    items: usage.Volumes ?? [],
    columns: volumeColumns,
    format: 'table {{.Name}}\t{{.Links}}\t{{.Size}}',
  })
  const records = await renderListing({
    items: usage.BuildCache ?? [],
    columns: cacheColumns,
    format: `table ${cache}`,
  })
  return [
    `Images space usage:\n\n${images}`,
    `Containers space usage:\n\n${containers}`,
    `Local Volumes space usage:\n\n${volumes}`,
    `Build cache usage: ${humanSize(cacheUsage(usage.BuildCache ?? []).size)}\n\n${records}`,
  ].join('\n')
}
