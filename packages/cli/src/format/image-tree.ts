/** `images --tree`: each image with the platforms of its index below it, in docker's columns and colours. */
import type { ImageManifestSummary, ImageSummary } from '../client/wire.ts'
import { ellipsis, humanSize, shortId } from './units.ts'

export interface Screen {
  isTerminal: boolean
  /** 0 when there is no terminal. */
  columns: number
}

interface Details {
  id: string
  diskUsage: string
  contentSize: string
  inUse: boolean
}

interface Column {
  title: string
  width: number
  alignsRight?: boolean
  /** Absent for the first one: names and platforms. */
  value?: (details: Details) => string
  isChip?: boolean
}

const defaultWidth = 80
const leastWidth = 20
const leastNameWidth = 12
const gap = '   '
const sizeDigits = 3
const branch = '├─ '
const lastBranch = '└─ '
/** As docker counts them, in bytes. */
const branchWidth = Buffer.byteLength(branch)

const style = {
  warning: '\x1b[93m',
  header: '\x1b[39m\x1b[1m',
  name: '\x1b[34m\x1b[1m',
  plain: '\x1b[39m',
  faint: '\x1b[39m\x1b[2m',
  chip: '\x1b[38;5;0m\x1b[48;5;14m',
}
const reset = '\x1b[0m'
type Style = keyof typeof style

export function renderImageTree(images: readonly ImageSummary[], screen: Screen): string {
  const width = Math.max(screen.columns || defaultWidth, leastWidth)
  const tree = new Tree(screen, images.map(topImage))
  return tree.render(width)
}

interface TopImage {
  names: string[]
  details: Details
  children: { platform: string; isAvailable: boolean; details: Details }[]
  created: number
}

function topImage(image: ImageSummary): TopImage {
  const manifests = image.Manifests ?? []
  const children = manifests.filter(({ Kind }) => Kind === 'image')
  const isUsed = ({ ImageData }: ImageManifestSummary) => (ImageData?.Containers ?? []).length > 0
  return {
    names: image.RepoTags ?? [],
    created: image.Created,
    details: {
      id: image.Id,
      diskUsage: humanSize(image.Size, sizeDigits),
      contentSize: humanSize(
        manifests.reduce((sum, { Size }) => sum + Size.Content, 0),
        sizeDigits,
      ),
      inUse: image.Containers > 0 || children.some(isUsed),
    },
    children: children.map((manifest) => ({
      platform: formatPlatform(manifest.ImageData?.Platform),
      isAvailable: manifest.Available,
      details: {
        id: manifest.ID,
        diskUsage: humanSize(manifest.Size.Total, sizeDigits),
        contentSize: humanSize(manifest.Size.Content, sizeDigits),
        inUse: isUsed(manifest),
      },
    })),
  }
}

type Platform = NonNullable<ImageManifestSummary['ImageData']>['Platform']

const formatPlatform = (platform: Platform | undefined): string =>
  [platform?.os || 'unknown', platform?.architecture, platform?.variant].filter(Boolean).join('/')

class Tree {
  readonly #screen: Screen
  readonly #images: TopImage[]

  constructor(screen: Screen, images: TopImage[]) {
    this.#screen = screen
    this.#images = images.sort((a, b) => b.created - a.created)
  }

  render(width: number): string {
    const columns = this.#columns(width)
    const warning = "WARNING: This is an experimental feature. The output may change and shouldn't be depended on."
    // The headings have their colours on a pipe too.
    const heading = columns.map((column) => align(column, painted('header', column.title.toUpperCase())))
    const lines = [this.#paint('warning', warning).text, this.#legend(width), '', heading.join(gap)]
    const spaced = this.#images.some(({ children }) => children.length > 0)
    for (const image of this.#images) lines.push(...this.#imageLines(image, columns), ...(spaced ? [''] : []))
    return `${lines.join('\n')}\n`
  }

  /** What does not fit beside the names is left out, from the right. */
  #columns(width: number): Column[] {
    const [name, ...others] = allColumns
    const columns: Column[] = []
    let left = width
    for (const column of others) {
      if (left - column.width - gap.length < leastNameWidth) break
      left -= column.width + gap.length
      columns.push(column)
    }
    const widest = this.#images.reduce(
      (most, { names, children }) =>
        Math.max(
          most,
          ...names.map((text) => Buffer.byteLength(text)),
          ...children.map(({ platform }) => platform.length + branchWidth),
        ),
      name.title.length,
    )
    return [{ ...name, width: Math.min(left, widest) }, ...columns]
  }

  #imageLines({ names, details, children }: TopImage, columns: readonly Column[]): string[] {
    // The longest first: only the last one stands beside the other columns.
    const sorted = [...names].sort((a, b) => b.length - a.length)
    const { columns: width } = this.#screen
    const above = sorted.slice(0, -1).map((name) => this.#paint('name', width > 0 ? ellipsis(name, width) : name).text)
    const last = sorted.at(-1)
    const own = last === undefined ? (['faint', '<untagged>'] as const) : (['name', last] as const)
    return [
      ...above,
      this.#line(columns, own, { style: 'plain', details }),
      ...children.map(({ platform, isAvailable, details: of }, index) => {
        const shade = isAvailable ? 'plain' : 'faint'
        const text = `${index < children.length - 1 ? branch : lastBranch}${platform}`
        return this.#line(columns, [shade, text], { style: shade, details: of })
      }),
    ]
  }

  #line(
    [first, ...others]: readonly Column[],
    [shade, text]: readonly [Style, string],
    row: { style: Style; details: Details },
  ): string {
    if (first === undefined) return ''
    const cells = others.map((column) => {
      const value = column.value?.(row.details) ?? ''
      if (!column.isChip) return align(column, this.#paint(row.style, value))
      return align(column, value === '' ? { text: '', width: 0 } : this.#chip(value))
    })
    return [align(first, this.#paint(shade, ellipsis(text, first.width))), ...cells].join(gap)
  }

  #chip(text: string): Painted {
    return this.#screen.isTerminal ? painted('chip', ` ${text} `) : { text, width: text.length }
  }

  #legend(width: number): string {
    const chip = this.#chip('U')
    const info = this.#screen.isTerminal
      ? `\x1b[1m\x1b[106m\x1b[30mi${reset}${reset} \x1b[96mInfo → ${reset}${reset}`
      : 'Info -> '
    const infoWidth = this.#screen.isTerminal ? 'i Info → '.length : 'Info -> '.length
    const legend = `${info} ${chip.text} In Use `
    return ' '.repeat(Math.max(0, width - (infoWidth + 1 + chip.width + ' In Use '.length))) + legend
  }

  #paint(name: Style, text: string): Painted {
    return this.#screen.isTerminal ? painted(name, text) : { text, width: [...text].length }
  }
}

interface Painted {
  text: string
  /** On the screen. */
  width: number
}

const painted = (name: Style, text: string): Painted => ({
  text: `${style[name]}${text}${reset}`,
  width: [...text].length,
})

function align({ width, alignsRight }: Column, cell: Painted): string {
  const filling = ' '.repeat(Math.max(0, width - cell.width))
  return alignsRight ? filling + cell.text : cell.text + filling
}

const allColumns: readonly [Column, ...Column[]] = [
  { title: 'Image', width: 0 },
  { title: 'ID', width: 12, value: ({ id }) => shortId(id) },
  { title: 'Disk usage', width: 10, alignsRight: true, value: ({ diskUsage }) => diskUsage },
  { title: 'Content size', width: 12, alignsRight: true, value: ({ contentSize }) => contentSize },
  { title: 'Extra', width: 5, isChip: true, value: ({ inUse }) => (inUse ? 'U' : '') },
]
