/** Builds the tree of a Go template. */
import { TemplateSyntaxError, type Token, tokenize } from './lexer.ts'
import { unquote } from './values.ts'

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipe: Pipe }
  | { kind: 'if' | 'with' | 'range'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'template'; name: string; pipe: Pipe | undefined }
  | { kind: 'break' | 'continue' }

export interface Pipe {
  declares: string[]
  /** `$x = …` rather than `$x := …`. */
  assigns: boolean
  commands: Operand[][]
}

interface Place {
  /** Column of the operand, for messages. */
  column: number
  line: number
}

export type Operand = Place &
  (
    | { kind: 'dot' }
    | { kind: 'nil' }
    | { kind: 'literal'; value: string | number | bigint | boolean; float: boolean; source: string }
    | { kind: 'function'; name: string }
    | { kind: 'field'; path: string[] }
    | { kind: 'variable'; name: string; path: string[] }
    | { kind: 'pipe'; pipe: Pipe; path: string[] }
  )

export interface Template {
  root: Node[]
  definitions: Map<string, Node[]>
}

export function parseTemplate(source: string, functions: ReadonlySet<string>): Template {
  return new TemplateParser(source, functions).parse()
}

class TemplateParser {
  readonly #tokens: Token[]
  readonly #functions: ReadonlySet<string>
  readonly #definitions = new Map<string, Node[]>()
  readonly #source: string
  #position = 0
  #variables: string[] = ['$']
  #loops = 0

  constructor(source: string, functions: ReadonlySet<string>) {
    this.#source = source
    this.#tokens = tokenize(source)
    this.#functions = functions
  }

  parse(): Template {
    const { nodes, stop } = this.#list()
    if (stop) throw this.#fail(`unexpected {{${stop}}}`)
    return { root: nodes, definitions: this.#definitions }
  }

  /** Nodes up to `{{end}}`, `{{else}}` or the end of the source. */
  #list(): { nodes: Node[]; stop: 'end' | 'else' | undefined } {
    const nodes: Node[] = []
    for (let token = this.#take(); token; token = this.#take()) {
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text })
        continue
      }
      this.#skipSpace()
      const keyword = this.#peek()
      if (keyword?.kind !== 'keyword') {
        nodes.push({ kind: 'action', pipe: this.#pipeline('command', true) })
        continue
      }
      this.#take()
      if (keyword.text === 'end') {
        this.#expectRight('end')
        return { nodes, stop: 'end' }
      }
      if (keyword.text === 'else') return { nodes, stop: 'else' }
      const node = this.#control(keyword)
      if (node) nodes.push(node)
    }
    return { nodes, stop: undefined }
  }

  #control(keyword: Token): Node | undefined {
    switch (keyword.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(keyword.text)
      case 'break':
      case 'continue':
        if (this.#loops === 0) throw this.#fail(`{{${keyword.text}}} outside {{range}}`)
        this.#expectRight(keyword.text)
        return { kind: keyword.text }
      case 'template': {
        const name = this.#name('template clause')
        this.#skipSpace()
        const pipe = this.#peek()?.kind === 'right' ? undefined : this.#pipeline('template clause', false)
        if (!pipe) this.#expectRight('template clause')
        return { kind: 'template', name, pipe }
      }
      case 'define': {
        const name = this.#name('define clause')
        this.#expectRight('define clause')
        this.#definitions.set(name, this.#body('define').nodes)
        return undefined
      }
      default: {
        const name = this.#name('block clause')
        const pipe = this.#pipeline('block clause', false)
        this.#definitions.set(name, this.#body('block').nodes)
        return { kind: 'template', name, pipe }
      }
    }
  }

  #branch(kind: 'if' | 'with' | 'range'): Node {
    const scope = this.#variables.length
    const pipe = this.#pipeline(kind, true, kind === 'range')
    if (kind === 'range') this.#loops++
    const { nodes, stop } = this.#body(kind)
    if (kind === 'range') this.#loops--
    let otherwise: Node[] = []
    if (stop === 'else') {
      this.#skipSpace()
      const next = this.#peek()
      if (next?.kind === 'keyword' && (next.text === 'if' || next.text === 'with') && next.text === kind) {
        this.#take()
        otherwise = [this.#branch(kind)]
      } else {
        this.#expectRight('else')
        const rest = this.#body(kind)
        if (rest.stop === 'else') throw this.#fail('expected end; found {{else}}')
        otherwise = rest.nodes
      }
    }
    this.#variables.length = scope
    return { kind, pipe, body: nodes, otherwise }
  }

  #body(_context: string): { nodes: Node[]; stop: 'end' | 'else' } {
    const { nodes, stop } = this.#list()
    if (!stop) throw this.#fail('unexpected EOF')
    return { nodes, stop }
  }

  #name(context: string): string {
    this.#skipSpace()
    const token = this.#take()
    if (token?.kind !== 'string' && token?.kind !== 'raw') throw this.#unexpected(token, context)
    return unquote(token.text)
  }

  /** A pipeline with its closing delimiter (or parenthesis). */
  #pipeline(context: string, mayDeclare: boolean, isRange = false, end: 'right' | 'close' = 'right'): Pipe {
    const pipe: Pipe = { declares: [], assigns: false, commands: [] }
    if (mayDeclare) this.#declarations(pipe, context, isRange)
    for (;;) {
      this.#skipSpace()
      const token = this.#peek()
      if (!token) throw this.#fail(`unclosed action`)
      if (token.kind === end) {
        this.#take()
        if (pipe.commands.length === 0) throw this.#fail(`missing value for ${context}`)
        this.#checkPipeline(pipe, context)
        return pipe
      }
      if (token.kind === 'right' || token.kind === 'close') throw this.#unexpected(token, context)
      pipe.commands.push(this.#command(context))
    }
  }

  #declarations(pipe: Pipe, context: string, isRange: boolean): void {
    this.#skipSpace()
    const first = this.#peek()
    if (first?.kind !== 'variable') return
    const start = this.#position
    this.#take()
    const names = [first.text]
    this.#skipSpace()
    if (isRange && this.#peek()?.kind === 'comma') {
      this.#take()
      this.#skipSpace()
      const second = this.#take()
      if (second?.kind !== 'variable') throw this.#unexpected(second, context)
      names.push(second.text)
      this.#skipSpace()
    }
    const operator = this.#peek()
    if (operator?.kind !== 'declare' && operator?.kind !== 'assign') {
      this.#position = start
      return
    }
    this.#take()
    pipe.declares = names
    pipe.assigns = operator.kind === 'assign'
    if (operator.kind === 'declare') this.#variables.push(...names)
    else for (const name of names) this.#checkVariable(name)
  }

  #checkPipeline(pipe: Pipe, _context: string): void {
    for (const [index, command] of pipe.commands.entries()) {
      const first = command[0]
      if (index > 0 && first && ['dot', 'nil', 'literal'].includes(first.kind)) {
        throw this.#fail(`non executable command in pipeline stage ${index + 1}`)
      }
    }
  }

  #command(context: string): Operand[] {
    const operands: Operand[] = []
    for (;;) {
      this.#skipSpace()
      const token = this.#peek()
      if (!token || token.kind === 'right' || token.kind === 'close') break
      if (token.kind === 'pipe') {
        this.#take()
        this.#skipSpace()
        const next = this.#peek()
        if (next?.kind === 'right' || next?.kind === 'close') throw this.#fail('missing value for command')
        break
      }
      operands.push(this.#operand(context))
      const after = this.#peek()
      if (after && !['space', 'right', 'close', 'pipe'].includes(after.kind)) throw this.#unexpected(after, 'operand')
    }
    if (operands.length === 0) throw this.#fail('empty command')
    return operands
  }

  #operand(context: string): Operand {
    const token = this.#take() as Token
    const place = this.#placeOf(token)
    switch (token.kind) {
      case 'dot':
        return { ...place, kind: 'dot' }
      case 'nil':
        return { ...place, kind: 'nil' }
      case 'bool':
        return { ...place, kind: 'literal', value: token.text === 'true', float: false, source: token.text }
      case 'string':
      case 'raw':
        return { ...place, kind: 'literal', value: unquote(token.text), float: false, source: token.text }
      case 'char':
        return {
          ...place,
          kind: 'literal',
          value: unquote(token.text).codePointAt(0) ?? 0,
          float: false,
          source: token.text,
        }
      case 'number':
        return { ...place, kind: 'literal', ...this.#number(token.text), source: token.text }
      case 'identifier':
        if (!this.#functions.has(token.text)) throw this.#fail(`function ${JSON.stringify(token.text)} not defined`)
        return { ...place, kind: 'function', name: token.text }
      case 'field':
        return { ...this.#chainPlace(place), kind: 'field', path: [token.text.slice(1), ...this.#fields()] }
      case 'variable':
        this.#checkVariable(token.text)
        return { ...this.#chainPlace(place), kind: 'variable', name: token.text, path: this.#fields() }
      case 'open': {
        const pipe = this.#pipeline('parenthesized pipeline', true, false, 'close')
        return { ...this.#chainPlace(place), kind: 'pipe', pipe, path: this.#fields() }
      }
      default:
        throw this.#unexpected(token, context)
    }
  }

  #placeOf(token: Token): Place {
    const lineStart = this.#source.lastIndexOf('\n', token.offset - 1) + 1
    return { line: token.line, column: Buffer.byteLength(this.#source.slice(lineStart, token.offset)) }
  }

  /** Go puts a chain of fields where its second part is. */
  #chainPlace(place: Place): Place {
    const next = this.#peek()
    return next?.kind === 'field' ? this.#placeOf(next) : place
  }

  #fields(): string[] {
    const path: string[] = []
    for (let next = this.#peek(); next?.kind === 'field'; next = this.#peek()) {
      path.push(next.text.slice(1))
      this.#take()
    }
    return path
  }

  #number(text: string): { value: number | bigint; float: boolean } {
    const plain = text.replaceAll('_', '')
    const isFloat = /[.eE]/.test(plain) && !/^[+-]?0[xX]/.test(plain)
    if (isFloat) return { value: Number(plain), float: true }
    const value = Number(plain.replace(/^\+/, ''))
    if (Number.isNaN(value)) throw this.#fail(`bad number syntax: ${JSON.stringify(text)}`)
    return { value: Number.isSafeInteger(value) ? value : BigInt(plain), float: false }
  }

  #checkVariable(name: string): void {
    if (!this.#variables.includes(name)) throw this.#fail(`undefined variable ${JSON.stringify(name)}`)
  }

  #expectRight(context: string): void {
    this.#skipSpace()
    const token = this.#take()
    if (token?.kind !== 'right') throw this.#unexpected(token, context)
  }

  #take(): Token | undefined {
    return this.#tokens[this.#position++]
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#position]
  }

  #skipSpace(): void {
    while (this.#peek()?.kind === 'space') this.#position++
  }

  #unexpected(token: Token | undefined, context: string): TemplateSyntaxError {
    if (!token) return this.#fail('unexpected EOF')
    const shown = token.kind === 'keyword' ? `<${token.text}>` : JSON.stringify(token.text)
    return this.#fail(`unexpected ${shown} in ${context}`)
  }

  #fail(message: string): TemplateSyntaxError {
    const token = this.#tokens[Math.min(this.#position, this.#tokens.length) - 1] ?? this.#tokens[0]
    return new TemplateSyntaxError(token?.line ?? 1, message)
  }
}
