/**
 * Where a text stops being JSON, in the words of Go's encoding/json, which clients know. It is looked at only after
 * JSON.parse has refused the text. Recursion is avoided: a text can be nothing but brackets.
 */

export type SyntaxFinding =
  | { kind: 'error'; message: string }
  /** A whole value, followed by something else from `end` on. */
  | { kind: 'value'; end: number }

export function findSyntaxError(text: string): SyntaxFinding {
  const scanner = new Scanner(text)
  try {
    scanner.value()
    return { kind: 'value', end: scanner.at }
  } catch (error) {
    if (!(error instanceof Wrong)) throw error
    return { kind: 'error', message: error.message }
  }
}

class Wrong extends Error {}

const literals: Record<string, string> = { t: 'true', f: 'false', n: 'null' }
const isDigit = (character: string): boolean => character >= '0' && character <= '9' && character !== ''

class Scanner {
  at = 0
  readonly #text: string
  /** The brackets that are open, innermost last. */
  readonly #open: ('{' | '[')[] = []

  constructor(text: string) {
    this.#text = text
  }

  value(): void {
    for (;;) {
      if (!this.#begin()) continue
      if (this.#ended()) return
    }
  }

  /** Reads a scalar, or opens a bracket; false where a value has to follow. */
  #begin(): boolean {
    this.#space()
    const first = this.#peek()
    if (first === '') throw new Wrong(this.#open.length === 0 && this.#isBlank() ? 'EOF' : 'unexpected EOF')
    if (first === '{' || first === '[') return this.#openBracket(first)
    if (first === '"') this.#string()
    else if (first === '-' || isDigit(first)) this.#number()
    else if (literals[first] !== undefined) this.#literal(literals[first])
    else this.#fail('looking for beginning of value')
    return true
  }

  #openBracket(bracket: '{' | '['): boolean {
    this.at++
    this.#space()
    if (this.#peek() === (bracket === '{' ? '}' : ']')) {
      this.at++
      return true
    }
    this.#open.push(bracket)
    if (bracket === '{') this.#key()
    return false
  }

  #key(): void {
    this.#space()
    this.#expect('"', 'looking for beginning of object key string')
    this.at--
    this.#string()
    this.#space()
    this.#expect(':', 'after object key')
  }

  /** After a value: closes what ends here; true when the outermost value has ended, false when another value follows. */
  #ended(): boolean {
    for (;;) {
      const bracket = this.#open.at(-1)
      if (bracket === undefined) return true
      this.#space()
      const next = this.#peek()
      if (next === ',') {
        this.at++
        if (bracket === '{') this.#key()
        return false
      }
      this.#expect(bracket === '{' ? '}' : ']', bracket === '{' ? 'after object key:value pair' : 'after array element')
      this.#open.pop()
    }
  }

  #string(): void {
    for (this.at++; ; this.at++) {
      const next = this.#peek()
      if (next === '"') break
      if (next === '' || next < ' ') this.#fail('in string literal')
      if (next === '\\') this.#escape()
    }
    this.at++
  }

  #escape(): void {
    this.at++
    const next = this.#peek()
    if (next === 'u') {
      for (let digit = 0; digit < 4; digit++) {
        this.at++
        if (!/^[0-9a-fA-F]$/.test(this.#peek())) this.#fail('in \\u hexadecimal character escape')
      }
    } else if (next === '' || !'bfnrt\\/"'.includes(next)) this.#fail('in string escape code')
  }

  #number(): void {
    if (this.#peek() === '-') this.at++
    if (this.#peek() === '0') this.at++
    else this.#digits('in numeric literal')
    if (this.#peek() === '.') {
      this.at++
      this.#digits('after decimal point in numeric literal')
    }
    if (!/^[eE]$/.test(this.#peek())) return
    this.at++
    if (/^[+-]$/.test(this.#peek())) this.at++
    this.#digits('in exponent of numeric literal')
  }

  #digits(context: string): void {
    if (!isDigit(this.#peek())) this.#fail(context)
    while (isDigit(this.#peek())) this.at++
  }

  #literal(word: string): void {
    for (const character of word) this.#expect(character, `in literal ${word} (expecting '${character}')`)
  }

  #expect(character: string, context: string): void {
    if (this.#peek() !== character) this.#fail(context)
    this.at++
  }

  #fail(context: string): never {
    const character = this.#peek()
    throw new Wrong(character === '' ? 'unexpected EOF' : `invalid character ${quoted(this.#text, this.at)} ${context}`)
  }

  #isBlank(): boolean {
    return this.#text.trim() === ''
  }

  #space(): void {
    while (/^[ \t\r\n]$/.test(this.#peek())) this.at++
  }

  #peek(): string {
    return this.#text[this.at] ?? ''
  }
}

/** Go reads bytes: of a character with several it names the first, as if that were a character itself. */
function quoted(text: string, at: number): string {
  const [byte = 0] = Buffer.from(String.fromCodePoint(text.codePointAt(at) ?? 0))
  if (byte === 0x27) return `'\\''`
  if (byte === 0x5c) return `'\\\\'`
  const named = { 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r' }[byte]
  if (named !== undefined) return `'\\${named}'`
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, '0')}'`
  return `'${String.fromCharCode(byte)}'`
}
