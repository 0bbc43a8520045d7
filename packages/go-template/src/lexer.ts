/** Splits a Go template into text and the tokens of its actions. */

type TokenKind =
  | 'text'
  | 'left'
  | 'right'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'dot'
  | 'nil'
  | 'string'
  | 'raw'
  | 'char'
  | 'number'
  | 'bool'
  | 'other'
  | 'pipe'
  | 'open'
  | 'close'
  | 'declare'
  | 'assign'
  | 'comma'
  | 'space'

export interface Token {
  kind: TokenKind
  /** The source text; for `text`, what is printed. */
  text: string
  line: number
  /** Byte offset in the whole source. */
  offset: number
}

/** An error in the template's source. */
export class TemplateSyntaxError extends Error {
  constructor(line: number, message: string) {
    super(`template: :${line}: ${message}`)
  }
}

const KEYWORDS = new Set(['if', 'else', 'end', 'range', 'with', 'define', 'template', 'block', 'break', 'continue'])
const LEFT = '{{'
const RIGHT = '}}'

const ACTION_TOKENS: [RegExp, TokenKind][] = [
  [/\s+/y, 'space'],
  [/:=/y, 'declare'],
  [/=/y, 'assign'],
  [/\|/y, 'pipe'],
  [/\(/y, 'open'],
  [/\)/y, 'close'],
  [/,/y, 'comma'],
  [/"(?:[^"\\\n]|\\.)*"/y, 'string'],
  [/`[^`]*`/y, 'raw'],
  [/'(?:[^'\\\n]|\\.)+'/y, 'char'],
  [/\.[\p{L}_][\p{L}\p{Nd}_]*/uy, 'field'],
  [/\$[\p{L}_]?[\p{L}\p{Nd}_]*/uy, 'variable'],
  [/[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*)?\.?\d[\d_]*\.?(?:[eE][+-]?\d+)?)i?/y, 'number'],
  [/\./y, 'dot'],
  [/[\p{L}_][\p{L}\p{Nd}_]*/uy, 'identifier'],
  [/[!-~]/y, 'other'],
]

export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let position = 0
  let trimNext = false
  const lineAt = (offset: number) => source.slice(0, offset).split('\n').length
  while (position < source.length) {
    const left = source.indexOf(LEFT, position)
    let text = source.slice(position, left < 0 ? source.length : left)
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '')
    const trimsLeft = left >= 0 && /^\{\{- /.test(source.slice(left, left + 4).replace(/[\t\r\n]/, ' '))
    if (trimsLeft) text = text.replace(/[ \t\r\n]+$/, '')
    if (text !== '') tokens.push({ kind: 'text', text, line: lineAt(position), offset: position })
    if (left < 0) break
    const start = left + LEFT.length + (trimsLeft ? 2 : 0)
    if (/^\/\*(?![\s\S]*\*\/)/.test(source.slice(start)))
      throw new TemplateSyntaxError(lineAt(start), 'unclosed comment')
    const comment = /^\/\*[\s\S]*?\*\//.exec(source.slice(start))
    if (comment) {
      const close = /^(?:[ \t\r\n]-)?\}\}/.exec(source.slice(start + comment[0].length))
      if (!close) throw new TemplateSyntaxError(lineAt(start), 'comment ends before closing delimiter')
      position = start + comment[0].length + close[0].length
      trimNext = close[0].length > RIGHT.length
      continue
    }
    tokens.push({ kind: 'left', text: LEFT, line: lineAt(left), offset: left })
    const end = lexAction(source, start, { tokens, lineAt })
    position = end.position
    trimNext = end.trim
  }
  return tokens
}

interface Sink {
  tokens: Token[]
  lineAt(offset: number): number
}

function lexAction(source: string, start: number, { tokens, lineAt }: Sink): { position: number; trim: boolean } {
  let position = start
  let depth = 0
  for (;;) {
    const close = /^(?:[ \t\r\n]-)?\}\}/.exec(source.slice(position, position + 4))
    if (close) {
      if (depth > 0) throw new TemplateSyntaxError(lineAt(position), 'unclosed left paren')
      tokens.push({ kind: 'right', text: RIGHT, line: lineAt(position), offset: position })
      return { position: position + close[0].length, trim: close[0].length > RIGHT.length }
    }
    if (position >= source.length) throw new TemplateSyntaxError(lineAt(source.length), 'unclosed action')
    const token = nextToken(source, position)
    if (!token || (token.kind === 'other' && /["`':]/.test(token.text)))
      throw badCharacter(source, position, lineAt(position))
    checkTerminator(source, position + token.text.length, token.kind, lineAt)
    if (token.kind === 'open') depth++
    if (token.kind === 'close' && --depth < 0) throw new TemplateSyntaxError(lineAt(position), 'unexpected right paren')
    tokens.push({ ...token, line: lineAt(position), offset: position })
    position += token.text.length
  }
}

/** A name ends where something else begins that may follow it. */
function checkTerminator(source: string, position: number, kind: TokenKind, lineAt: Sink['lineAt']): void {
  if (!['field', 'variable', 'identifier'].includes(kind)) return
  const next = source.charAt(position)
  if (next === '' || /[\s.,|:)(]/.test(next) || source.startsWith(RIGHT, position)) return
  throw new TemplateSyntaxError(lineAt(position), `bad character ${codePoint(next)}`)
}

function codePoint(letter: string): string {
  return `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')} '${letter}'`
}

function nextToken(source: string, position: number): { kind: TokenKind; text: string } | undefined {
  for (const [pattern, kind] of ACTION_TOKENS) {
    pattern.lastIndex = position
    const match = pattern.exec(source)
    if (!match || match[0] === '') continue
    const text = match[0]
    if (kind !== 'identifier') return { kind, text }
    if (KEYWORDS.has(text)) return { kind: 'keyword', text }
    if (text === 'true' || text === 'false') return { kind: 'bool', text }
    return { kind: text === 'nil' ? 'nil' : 'identifier', text }
  }
  return undefined
}

function badCharacter(source: string, position: number, line: number): TemplateSyntaxError {
  const letter = String.fromCodePoint(source.codePointAt(position) ?? 0)
  if (letter === '"') return new TemplateSyntaxError(line, 'unterminated quoted string')
  if (letter === '`') return new TemplateSyntaxError(line, 'unterminated raw quoted string')
  if (letter === "'") return new TemplateSyntaxError(line, 'unterminated character constant')
  if (letter === ':') return new TemplateSyntaxError(line, 'expected :=')
  return new TemplateSyntaxError(line, `unrecognized character in action: ${codePoint(letter)}`)
}
