/** Listings: rows of named columns, printed as a table, by a template, or as JSON. */

import type { CompiledTemplate } from '@dockerd-ts/go-template/execute'
import { printValue } from '@dockerd-ts/go-template/print'
import type { GoValue, Row } from '@dockerd-ts/go-template/values'
import { alignTabs, TABLE } from './tabs.ts'

export interface Columns<T> {
  /** The Go type that template errors name. */
  rowType: string
  headers: Record<string, string>
  values: Record<string, (item: T) => GoValue>
  /** Columns with an argument. */
  methods?: Record<string, (item: T, args: GoValue[]) => GoValue>
}

export interface Listing<T> {
  items: Iterable<T>
  columns: Columns<T>
  /** `table …`, a template, `json`. */
  format: string
}

/** Replaces the short names of formats: nothing or `table` is the default table, `json` a template. */
export function resolveFormat(format: string, defaultTable: string): string {
  if (format === '' || format === 'table') return `table ${defaultTable}`
  if (format === 'json') return '{{json .}}'
  return format
}

export const isTable = (format: string): boolean => format.startsWith('table')

/** What is a template in a format. */
export const templateOf = (format: string): string =>
  (isTable(format) ? format.slice('table'.length) : format === 'json' ? '{{json .}}' : format)
    .replace(/^ +| +$/g, '')
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n')

/** The text of the listing, the last line ended. Throws an Error with Docker's text when the template is wrong. */
export async function renderListing<T>({ items, columns, format }: Listing<T>): Promise<string> {
  const table = isTable(format)
  const source = templateOf(format)
  const direct = table ? directColumns(source, columns) : undefined
  if (direct) return alignTabs(directTable(items, columns, direct), TABLE)
  const template = await compile(source, 'template parsing error')
  const run = (render: () => string) => told(render, 'template parsing error')
  const lines: string[] = []
  for (const item of items) lines.push(`${run(() => template.render(rowOf(item, columns)))}\n`)
  if (!table) return lines.join('')
  const header = run(() => template.render(headerMap(columns), { overrides: HEADER_FUNCTIONS }))
  return alignTabs(`${header}\n${lines.join('')}`, TABLE)
}

/** The columns of a format that is nothing but columns, which is what most listings are: no template has to run. */
function directColumns<T>(source: string, columns: Columns<T>): string[] | undefined {
  if (!/^(?:\{\{\.[A-Za-z0-9]+\}\}(?:\t|$))+$/.test(source)) return undefined
  const names = source.split('\t').map((field) => field.slice('{{.'.length, -'}}'.length))
  return names.every((name) => Object.hasOwn(columns.values, name)) ? names : undefined
}

function directTable<T>(items: Iterable<T>, columns: Columns<T>, names: readonly string[]): string {
  const lines = [names.map((name) => columns.headers[name] ?? '').join('\t')]
  for (const item of items) lines.push(names.map((name) => printValue(columns.values[name]?.(item))).join('\t'))
  return `${lines.join('\n')}\n`
}

/** Fails as the listing would if there were a row, and with the place of the fault in what the user wrote. */
export async function checkTemplate<T>(source: string, sample: T, columns: Columns<T>): Promise<void> {
  const template = await compile(source, 'failed to parse template')
  told(() => template.render(rowOf(sample, columns)), 'failed to execute template')
}

export async function compile(source: string, told: string): Promise<CompiledTemplate> {
  const { compileTemplate } = await import('@dockerd-ts/go-template/execute')
  try {
    return compileTemplate(source)
  } catch (error) {
    throw new Error(`${told}: ${(error as Error).message}`)
  }
}

function told(render: () => string, words: string): string {
  try {
    return render()
  } catch (error) {
    throw new Error(`${words}: ${(error as Error).message}`)
  }
}

/** In the header line, functions leave the heading as it is. */
const identity = ([first]: GoValue[]): GoValue => first
const HEADER_FUNCTIONS = {
  json: identity,
  split: identity,
  join: identity,
  title: identity,
  lower: identity,
  upper: identity,
  pad: identity,
  truncate: identity,
}

function headerMap<T>(columns: Columns<T>): GoValue {
  return new Map<string, GoValue>(Object.entries(columns.headers))
}

export function rowOf<T>(item: T, columns: Columns<T>): Row {
  return {
    rowType: columns.rowType,
    get: (name) => (Object.hasOwn(columns.values, name) ? columns.values[name]?.(item) : undefined),
    call: (name, args) => {
      const method = columns.methods && Object.hasOwn(columns.methods, name) ? columns.methods[name] : undefined
      if (!method) throw new Error(`can't evaluate field ${name} in type ${columns.rowType}`)
      return method(item, args)
    },
    arity: (name) =>
      Object.hasOwn(columns.values, name) ? 0 : columns.methods && Object.hasOwn(columns.methods, name) ? 1 : undefined,
    columns: () => new Map(Object.entries(columns.values).map(([name, value]) => [name, value(item)])),
  }
}
