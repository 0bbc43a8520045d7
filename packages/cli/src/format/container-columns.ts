/** The columns of container listings. */

import { plain } from '@dockerd-ts/go-template/print'
import { quote } from '@dockerd-ts/go-template/values'
import type { ContainerSummary } from '../client/wire.ts'
import type { Columns } from './listing.ts'
import { displayPorts } from './ports.ts'
import { ago, ellipsis, goTime, humanSize, shortId } from './units.ts'

const COMMAND_WIDTH = 20
const MOUNT_WIDTH = 15
const SIZE_DIGITS = 3

export const containerTable = '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}'

export function containerColumns(truncate: boolean): Columns<ContainerSummary> {
  return {
    rowType: '*formatter.ContainerContext',
    headers: {
      ID: 'CONTAINER ID',
      Names: 'NAMES',
      Image: 'IMAGE',
      Command: 'COMMAND',
      CreatedAt: 'CREATED AT',
      RunningFor: 'CREATED',
      Ports: 'PORTS',
      State: 'STATE',
      Status: 'STATUS',
      Size: 'SIZE',
      Labels: 'LABELS',
      Mounts: 'MOUNTS',
      LocalVolumes: 'LOCAL VOLUMES',
      Networks: 'NETWORKS',
      Platform: 'PLATFORM',
    },
    values: {
      ID: (container) => (truncate ? shortId(container.Id) : container.Id),
      Names: (container) => names(container, truncate),
      Image: (container) => imageName(container, truncate),
      Command: ({ Command }) => quote(truncate ? ellipsis(Command, COMMAND_WIDTH) : Command),
      CreatedAt: ({ Created }) => goTime(new Date(Created * 1000)),
      RunningFor: ({ Created }) => ago(Created),
      Ports: ({ Ports }) => displayPorts(Ports ?? []),
      State: ({ State }) => State,
      Status: ({ Status }) => Status,
      Size: containerSize,
      Labels: ({ Labels }) => joinLabels(Labels),
      Mounts: (container) => mountNames(container, truncate),
      LocalVolumes: ({ Mounts }) => String((Mounts ?? []).filter((mount) => mount.Driver === 'local').length),
      Networks: ({ NetworkSettings }) => Object.keys(NetworkSettings?.Networks ?? {}).join(','),
      Platform: () => null,
    },
    methods: { Label: ({ Labels }, [name]) => Labels?.[plain(name)] ?? '' },
  }
}

function names({ Names }: ContainerSummary, truncate: boolean): string {
  const all = (Names ?? []).map((name) => name.replace(/^\//, ''))
  // Names with a slash are other containers' links to this one.
  const own = truncate ? all.find((name) => !name.includes('/')) : undefined
  return own ?? all.join(',')
}

function imageName({ Image, ImageID }: ContainerSummary, truncate: boolean): string {
  if (Image === '') return '<no image>'
  if (!truncate) return Image
  // An image that has lost its name is shown by its id, which is shortened.
  if (shortId(Image) === shortId(ImageID)) return shortId(ImageID)
  return Image.includes('@sha256:') ? Image.slice(0, Image.indexOf('@')) : Image
}

function containerSize({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const own = humanSize(SizeRw, SIZE_DIGITS)
  return SizeRootFs > 0 ? `${own} (virtual ${humanSize(SizeRootFs, SIZE_DIGITS)})` : own
}

function mountNames({ Mounts }: ContainerSummary, truncate: boolean): string {
  return (Mounts ?? [])
    .map((mount) => (truncate ? ellipsis(mount.Name || mount.Source, MOUNT_WIDTH) : mount.Name || mount.Source))
    .join(',')
}

export function joinLabels(labels: Record<string, string> | null | undefined): string {
  return Object.entries(labels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}
