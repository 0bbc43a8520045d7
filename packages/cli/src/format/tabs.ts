/** Aligns tab-separated cells the way Go's text/tabwriter does, on which all of Docker's tables rest. */

export interface TabOptions {
  minWidth: number
  padding: number
}

/** Docker's tables. */
export const TABLE: TabOptions = { minWidth: 10, padding: 3 }

/**
 * A cell is text that ends in a tab. A column is a run of neighbouring lines that have a cell at that place, and is
 * as wide as its widest cell; text after a line's last tab belongs to no column.
 */
export function alignTabs(text: string, options: TabOptions): string {
  const lines = text.split('\n').map((line) => line.split('\t'))
  const widths: number[] = []
  const output: string[] = []
  layout({ lines, widths, output, options }, 0, lines.length)
  return output.join('\n')
}

interface Layout {
  lines: string[][]
  widths: number[]
  output: string[]
  options: TabOptions
}

function layout(state: Layout, from: number, to: number): void {
  const { lines, widths, options } = state
  const column = widths.length
  const hasCell = (index: number) => column < (lines[index]?.length ?? 0) - 1
  let printed = from
  for (let index = from; index < to; index++) {
    if (!hasCell(index)) continue
    print(state, printed, index)
    const start = index
    let width = options.minWidth
    for (; index < to && hasCell(index); index++) {
      width = Math.max(width, [...(lines[index]?.[column] ?? '')].length + options.padding)
    }
    widths.push(width)
    layout(state, start, index)
    widths.pop()
    printed = index
    index--
  }
  print(state, printed, to)
}

function print({ lines, widths, output }: Layout, from: number, to: number): void {
  for (const cells of lines.slice(from, to)) {
    const parts = cells.map((cell, column) => {
      const width = widths[column]
      return width === undefined || column === cells.length - 1
        ? cell
        : cell + ' '.repeat(Math.max(0, width - [...cell].length))
    })
    output.push(parts.join(''))
  }
}
