/** `inspect`: objects as indented JSON, or through a template. */
import type { Cli } from '../cli.ts'
import { ExitError, messageOf } from '../exit-error.ts'
import type { TypeTable } from './go-types.ts'

export interface Inspected {
  /** The daemon's JSON, byte for byte. */
  raw: string
  /** The Go type that templates run on. */
  type: string
  table: () => Promise<TypeTable>
}

const TEMPLATE_ERROR_CODE = 64

export interface InspectRequest {
  references: readonly string[]
  format: string
  fetch(reference: string): Promise<Inspected>
  /** Put before the text of each error. */
  errorPrefix?: string
}

/** Prints what is found, then fails with all errors. */
export async function inspectObjects(cli: Cli, request: InspectRequest): Promise<void> {
  const printer = request.format === '' ? undefined : await templatePrinter(request.format)
  const raws: string[] = []
  let output = ''
  const errors: string[] = []
  for (const reference of request.references) {
    try {
      const found = await request.fetch(reference)
      if (printer) output += `${await printer(found)}\n`
      else raws.push(found.raw)
    } catch (error) {
      errors.push(messageOf(error))
      if (error instanceof PrinterError) break
    }
  }
  if (printer) cli.out(output === '' ? '\n' : output)
  else if (raws.length === 0) cli.out('[]\n')
  else {
    const { indentJson } = await import('./json-text.ts')
    cli.out(`${indentJson(`[${raws.join(',')}]`, '    ')}\n`)
  }
  if (errors.length > 0) throw new ExitError(1, errors.join('\n'))
}

class PrinterError extends Error {}

async function templatePrinter(format: string): Promise<(found: Inspected) => Promise<string>> {
  const { compileTemplate } = await import('@dockerd-ts/go-template/execute')
  const { parseExact, typed, untyped } = await import('./go-types.ts')
  let template: ReturnType<typeof compileTemplate>
  try {
    template = compileTemplate(format === 'json' ? '{{json .}}' : format)
  } catch (error) {
    throw new ExitError(TEMPLATE_ERROR_CODE, `template parsing error: ${messageOf(error)}`)
  }
  return async (found) => {
    const json = parseExact(found.raw)
    try {
      return template.render(typed(json, found.type, await found.table()))
    } catch {
      // What the Go types do not know, the daemon's own JSON may.
      try {
        return template.render(untyped(json), { strictKeys: true })
      } catch (error) {
        throw new PrinterError(`template parsing error: ${messageOf(error)}`)
      }
    }
  }
}
