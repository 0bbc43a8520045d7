/** Runs a parsed template on a value. */
import { functionNames, templateFunctions, WrongType } from './functions.ts'
import { type Node, type Operand, type Pipe, parseTemplate, type Template } from './parser.ts'
import { goKind, printValue } from './print.ts'
import { GoFloat, GoStruct, type GoValue, isList, isMap, isRow, isTrue, type Row, sortedEntries } from './values.ts'

/** An error while a template ran. */
class TemplateError extends Error {}

export interface TemplateOptions {
  /** True to refuse keys that a map does not have, in place of printing `<no value>`. */
  strictKeys?: boolean
  /** Functions that replace the usual ones (headers of tables do without most). */
  overrides?: Record<string, (args: GoValue[]) => GoValue>
}

/** Compiles `source` once; the result renders any number of values. Throws TemplateSyntaxError. */
export function compileTemplate(source: string): CompiledTemplate {
  return new CompiledTemplate(parseTemplate(source, functionNames))
}

export class CompiledTemplate {
  readonly #template: Template
  constructor(template: Template) {
    this.#template = template
  }

  render(data: GoValue, options: TemplateOptions = {}): string {
    const run = new Execution(this.#template, options)
    run.nodes(this.#template.root, data, [['$', data]])
    return run.output.join('')
  }
}

type Scope = [name: string, value: GoValue][]

class LoopControl extends Error {
  readonly kind: 'break' | 'continue'
  constructor(kind: 'break' | 'continue') {
    super(kind)
    this.kind = kind
  }
}

const MAX_TEMPLATE_DEPTH = 1000

class Execution {
  readonly output: string[] = []
  readonly #template: Template
  readonly #options: TemplateOptions
  #depth = 0

  constructor(template: Template, options: TemplateOptions) {
    this.#template = template
    this.#options = options
  }

  nodes(nodes: readonly Node[], dot: GoValue, scope: Scope): void {
    const outer = scope.length
    for (const node of nodes) this.#node(node, dot, scope)
    scope.length = outer
  }

  #node(node: Node, dot: GoValue, scope: Scope): void {
    switch (node.kind) {
      case 'text':
        this.output.push(node.text)
        return
      case 'action': {
        const value = this.#pipe(node.pipe, dot, scope)
        if (node.pipe.declares.length === 0) this.output.push(printValue(value))
        return
      }
      case 'if':
      case 'with':
        this.#branch(node, dot, scope)
        return
      case 'range':
        this.#range(node, dot, scope)
        return
      case 'template':
        this.#call(node, dot, scope)
        return
      default:
        throw new LoopControl(node.kind)
    }
  }

  #branch(node: Node & { kind: 'if' | 'with' | 'range' }, dot: GoValue, scope: Scope): void {
    const outer = scope.length
    const value = this.#pipe(node.pipe, dot, scope)
    const inner = node.kind === 'with' ? value : dot
    if (isTrue(value)) this.nodes(node.body, inner, scope)
    else this.nodes(node.otherwise, dot, scope)
    scope.length = outer
  }

  #range(node: Node & { kind: 'if' | 'with' | 'range' }, dot: GoValue, scope: Scope): void {
    const outer = scope.length
    const value = this.#pipe({ ...node.pipe, declares: [] }, dot, scope)
    const entries = this.#entries(value, node.pipe)
    for (const [key, item] of entries) {
      const names = node.pipe.declares
      if (names.length === 1) this.#declare(node.pipe, names[0] as string, item, scope)
      if (names.length === 2) {
        this.#declare(node.pipe, names[0] as string, key, scope)
        this.#declare(node.pipe, names[1] as string, item, scope)
      }
      try {
        this.nodes(node.body, item, scope)
      } catch (error) {
        if (!(error instanceof LoopControl)) throw error
        scope.length = outer
        if (error.kind === 'break') break
      }
      scope.length = outer
    }
    if (entries.length === 0) this.nodes(node.otherwise, dot, scope)
    scope.length = outer
  }

  #entries(value: GoValue, pipe: Pipe): [GoValue, GoValue][] {
    if (value === null || value === undefined) return []
    if (isList(value)) return value.map((item, index) => [index, item])
    if (isMap(value)) return sortedEntries(value)
    if (typeof value === 'number') return Array.from({ length: Math.max(0, value) }, (_, index) => [index, index])
    const first = pipe.commands[0]?.[0]
    throw this.#error(first, `range can't iterate over ${printValue(value)}`)
  }

  #call(node: Node & { kind: 'template' }, dot: GoValue, scope: Scope): void {
    const body = this.#template.definitions.get(node.name)
    if (!body)
      throw new TemplateError(
        `template: :1:11: executing "" at <{{template ${JSON.stringify(node.name)}}}>: template ${JSON.stringify(node.name)} not defined`,
      )
    if (++this.#depth > MAX_TEMPLATE_DEPTH) throw new TemplateError('template: : exceeded maximum template depth')
    const value = node.pipe ? this.#pipe(node.pipe, dot, scope) : undefined
    this.nodes(body, value, [['$', value]])
    this.#depth--
  }

  #declare(pipe: Pipe, name: string, value: GoValue, scope: Scope): void {
    if (!pipe.assigns) {
      scope.push([name, value])
      return
    }
    const variable = scope.findLast(([other]) => other === name)
    if (variable) variable[1] = value
  }

  #pipe(pipe: Pipe, dot: GoValue, scope: Scope): GoValue {
    let value: GoValue
    for (const [index, command] of pipe.commands.entries())
      value = this.#command(command, dot, scope, index > 0 ? [value] : [])
    for (const name of pipe.declares) this.#declare(pipe, name, value, scope)
    return value
  }

  #command(command: Operand[], dot: GoValue, scope: Scope, piped: GoValue[]): GoValue {
    const [first, ...rest] = command as [Operand, ...Operand[]]
    if (first.kind === 'nil') throw this.#error(first, 'nil is not a command')
    if (first.kind === 'function') return this.#function(first, rest, { dot, scope, piped })
    const hasArguments = rest.length > 0 || piped.length > 0
    if (!hasArguments) return this.#operand(first, dot, scope)
    const args = [...rest.map((operand) => this.#operand(operand, dot, scope)), ...piped]
    const path = 'path' in first ? first.path : []
    const method = path.at(-1)
    if (method === undefined) throw this.#error(first, `can't give argument to non-function ${show(first)}`)
    const owner = this.#operand(
      { ...first, path: path.slice(0, -1) } as Operand,
      dot,
      scope,
      first.kind === 'field' && path.length === 1,
    )
    if (isRow(owner)) this.#checkArity(owner, method, args.length, first)
    if (isRow(owner) && owner.call) {
      try {
        return owner.call(method, args)
      } catch (error) {
        throw this.#error(first, (error as Error).message)
      }
    }
    throw this.#error(
      first,
      isMap(owner)
        ? `${method} is not a method but has arguments`
        : `${method} has arguments but cannot be invoked as function`,
    )
  }

  #function(
    operand: Operand & { kind: 'function' },
    rest: Operand[],
    call: { dot: GoValue; scope: Scope; piped: GoValue[] },
  ): GoValue {
    const { name } = operand
    const declared = templateFunctions[name]
    if (!declared) throw this.#error(operand, `${JSON.stringify(name)} is not a defined function`)
    if ((name === 'and' || name === 'or') && rest.length + call.piped.length > 0)
      return this.#shortCircuit(name, rest, call)
    const args = [...rest.map((one) => this.#operand(one, call.dot, call.scope)), ...call.piped]
    if (args.length < declared.least || args.length > declared.most) {
      const want = declared.most === Number.POSITIVE_INFINITY ? `at least ${declared.least}` : String(declared.least)
      throw this.#error(operand, `wrong number of args for ${name}: want ${want} got ${args.length}`)
    }
    try {
      const override = this.#options.overrides?.[name]
      return override ? override(args) : declared.run(args)
    } catch (error) {
      if (error instanceof WrongType) throw this.#wrongType(error, rest[args.indexOf(error.value)] ?? operand)
      const command = [name, ...rest.map(show)].join(' ')
      throw new TemplateError(
        `template: :${operand.line}:${operand.column}: executing "" at <${command}>: ${(error as Error).message}`,
      )
    }
  }

  #wrongType(error: WrongType, culprit: Operand): TemplateError {
    if (culprit.kind !== 'literal') return this.#error(culprit, error.message)
    if (error.expected === '[]string')
      return this.#error(culprit, `can't handle ${show(culprit)} for arg of type []string`)
    return this.#error(
      culprit,
      `expected ${error.expected === 'int' ? 'integer' : error.expected}; found ${show(culprit)}`,
    )
  }

  #shortCircuit(name: 'and' | 'or', rest: Operand[], call: { dot: GoValue; scope: Scope; piped: GoValue[] }): GoValue {
    let value: GoValue
    for (const operand of rest) {
      value = this.#operand(operand, call.dot, call.scope)
      if (isTrue(value) === (name === 'or')) return value
    }
    return call.piped.length > 0 ? call.piped[0] : value
  }

  #operand(operand: Operand, dot: GoValue, scope: Scope, asDot = false): GoValue {
    if (asDot) return dot
    switch (operand.kind) {
      case 'dot':
        return dot
      case 'nil':
        return null
      case 'literal':
        return operand.float ? new GoFloat(Number(operand.value)) : operand.value
      case 'field':
        return this.#walk(dot, operand.path, operand)
      case 'variable':
        return this.#walk(scope.findLast(([name]) => name === operand.name)?.[1], operand.path, operand)
      case 'pipe':
        return this.#walk(this.#pipe(operand.pipe, dot, scope), operand.path, operand)
      case 'function':
        return this.#function(operand, [], { dot, scope, piped: [] })
    }
  }

  #walk(start: GoValue, path: readonly string[], operand: Operand): GoValue {
    let value = start
    for (const name of path) value = this.#field(value, name, operand)
    return value
  }

  #field(value: GoValue, name: string, operand: Operand): GoValue {
    if (value === null || value === undefined) {
      if (value === undefined && !this.#options.strictKeys) return undefined
      throw this.#error(operand, `nil data; no entry for key ${JSON.stringify(name)}`)
    }
    if (isMap(value)) {
      if (value.has(name)) return value.get(name)
      if (this.#options.strictKeys) throw this.#error(operand, `map has no entry for key ${JSON.stringify(name)}`)
      return undefined
    }
    if (isRow(value)) {
      const found = value.get(name)
      if (found !== undefined) return found
      this.#checkArity(value, name, 0, operand)
    } else if (value instanceof GoStruct) {
      if (value.fields.has(name)) return value.fields.get(name)
    }
    throw this.#error(
      operand,
      `can't evaluate field ${name} in type ${this.#options.strictKeys ? 'interface {}' : goKind(value)}`,
    )
  }

  #checkArity(row: Row, name: string, given: number, operand: Operand): void {
    const wanted = row.arity(name)
    if (wanted !== undefined && wanted !== given)
      throw this.#error(operand, `wrong number of args for ${name}: want ${wanted} got ${given}`)
  }

  #error(operand: Operand | undefined, message: string): TemplateError {
    const place = operand ? `:${operand.line}:${operand.column}` : ':1:0'
    return new TemplateError(`template: ${place}: executing "" at <${operand ? show(operand) : ''}>: ${message}`)
  }
}

function show(operand: Operand): string {
  switch (operand.kind) {
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
    case 'literal':
      return operand.source
    case 'function':
      return operand.name
    case 'field':
      return operand.path.map((name) => `.${name}`).join('')
    case 'variable':
      return operand.name + operand.path.map((name) => `.${name}`).join('')
    case 'pipe':
      return `(${operand.pipe.commands.map((command) => command.map(show).join(' ')).join(' | ')})${operand.path.map((name) => `.${name}`).join('')}`
  }
}
