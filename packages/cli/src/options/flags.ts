/**
 * Command-line flags with pflag's rules, which Docker's users and scripts rely on: `--name=value`, grouped short
 * flags, `-n5`, optional interspersing with arguments, and the exact error texts.
 */
export interface Flag<T> {
  readonly short: string
  /** What the help shows after the name; empty for switches. */
  readonly label: string
  readonly usage: string
  readonly initial: T
  /** The default as the help prints it; absent when the value is not worth printing. */
  readonly shownDefault?: string
  /** The value taken when the flag stands alone (`--all`). */
  readonly alone?: string
  readonly hidden?: boolean
  /** Other names for the same flag, never shown. */
  readonly alias?: readonly string[]
  /** Returns the new value; throws an Error whose text explains what is wrong with `text`. */
  set(current: T, text: string): T
}

export type FlagSpecs = Record<string, Flag<unknown>>
export type FlagValues<F extends FlagSpecs> = { [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

export interface ParsedFlags<F extends FlagSpecs> {
  values: FlagValues<F>
  args: string[]
  /** The names that were given on the command line. */
  given: Set<string>
}

/** A mistake in flags: the usage is shown and the exit code is 125. */
export class FlagError extends Error {}
/** `--help` was asked for. */
export class HelpRequested extends Error {
  readonly deprecatedShort: boolean
  constructor(deprecatedShort: boolean) {
    super('help requested')
    this.deprecatedShort = deprecatedShort
  }
}

type Extra<T> = Partial<Pick<Flag<T>, 'shownDefault' | 'hidden' | 'alias' | 'label'>>

export function bool(short: string, usage: string, initial = false, extra: Extra<boolean> = {}): Flag<boolean> {
  return {
    short,
    label: '',
    usage,
    initial,
    alone: 'true',
    ...(initial ? { shownDefault: 'true' } : {}),
    set: (_, text) => parseBool(text),
    ...extra,
  }
}

export function string(short: string, usage: string, initial = '', extra: Extra<string> = {}): Flag<string> {
  const shown = initial === '' ? {} : { shownDefault: JSON.stringify(initial) }
  return { short, label: 'string', usage, initial, ...shown, set: (_, text) => text, ...extra }
}

export function int(short: string, usage: string, initial = 0, extra: Extra<number> = {}): Flag<number> {
  const shown = initial === 0 ? {} : { shownDefault: String(initial) }
  return { short, label: 'int', usage, initial, ...shown, set: (_, text) => parseInteger(text), ...extra }
}

/** Every use adds one value, checked and normalised by `check`. */
export function list(
  short: string,
  usage: string,
  check?: (text: string) => string,
  extra: Extra<string[]> = {},
): Flag<string[]> {
  const set = (current: string[], text: string): string[] => [...current, check ? check(text) : text]
  return { short, label: 'list', usage, initial: [], set, ...extra }
}

/** pflag's string slice: every use adds the comma-separated values. */
export function strings(short: string, usage: string, extra: Extra<string[]> = {}): Flag<string[]> {
  const set = (current: string[], text: string): string[] => (text === '' ? current : [...current, ...splitCsv(text)])
  return { short, label: 'strings', usage, initial: [], set, ...extra }
}

/** `key=value` pairs. */
export function map(
  short: string,
  usage: string,
  extra: Extra<Record<string, string>> = {},
): Flag<Record<string, string>> {
  const set = (current: Record<string, string>, text: string): Record<string, string> => {
    const [key, value] = cut(text, '=')
    return { ...current, [key]: value ?? '' }
  }
  return { short, label: 'map', usage, initial: {}, shownDefault: 'map[]', set, ...extra }
}

/** A flag with a parser of its own. */
export function custom<T>(
  short: string,
  label: string,
  usage: string,
  initial: T,
  set: Flag<T>['set'],
  extra: Extra<T> = {},
): Flag<T> {
  return { short, label, usage, initial, set, ...extra }
}

export function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

export function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
}

const INT64_LIMIT = 2n ** 63n

/** Go's ParseInt(text, 0, 64): decimal, 0x, 0o, 0b and underscores. */
export function parseInteger(text: string): number {
  const match = /^([+-]?)(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[1-9][0-9_]*|0)$/.exec(text)
  if (!match) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  const digits = (match[2] ?? '').replaceAll('_', '')
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits)
  if (value >= INT64_LIMIT) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`)
  return match[1] === '-' ? -Number(value) : Number(value)
}

/** Splits one line of comma-separated values, with CSV's quoting. */
export function splitCsv(line: string): string[] {
  const fields: string[] = []
  let rest = line
  for (;;) {
    if (rest.startsWith('"')) {
      const quoted = /^"((?:[^"]|"")*)"(,|$)/.exec(rest)
      if (!quoted)
        throw new Error(
          `parse error on line 1, column ${line.length - rest.length + 1}: extraneous or missing " in quoted-field`,
        )
      fields.push((quoted[1] ?? '').replaceAll('""', '"'))
      if (quoted[2] === '') return fields
      rest = rest.slice(quoted[0].length)
      continue
    }
    const [field, more] = cut(rest, ',')
    const bare = field.indexOf('"')
    if (bare >= 0)
      throw new Error(
        `parse error on line 1, column ${line.length - rest.length + bare + 1}: bare " in non-quoted-field`,
      )
    fields.push(field)
    if (more === undefined) return fields
    rest = more
  }
}

/** Parses `argv`; the result's `args` are what is left. Throws FlagError or HelpRequested. */
export function parseFlags<F extends FlagSpecs>(
  specs: F,
  argv: readonly string[],
  interspersed = true,
): ParsedFlags<F> {
  const parser = new Parser(specs, argv)
  const args = parser.run(interspersed)
  return { values: parser.values as FlagValues<F>, args, given: parser.given }
}

class Parser {
  readonly values: Record<string, unknown> = {}
  readonly given = new Set<string>()
  readonly #specs: FlagSpecs
  readonly #byShort = new Map<string, string>()
  readonly #byAlias = new Map<string, string>()
  readonly #argv: string[]

  constructor(specs: FlagSpecs, argv: readonly string[]) {
    this.#specs = specs
    this.#argv = [...argv]
    for (const [name, flag] of Object.entries(specs)) {
      this.values[name] = flag.initial
      if (flag.short) this.#byShort.set(flag.short, name)
      for (const alias of flag.alias ?? []) this.#byAlias.set(alias, name)
    }
  }

  run(interspersed: boolean): string[] {
    const args: string[] = []
    for (let word = this.#argv.shift(); word !== undefined; word = this.#argv.shift()) {
      if (word === '--') return [...args, ...this.#argv]
      if (word.startsWith('--')) this.#long(word)
      else if (word.startsWith('-') && word.length > 1) this.#short(word)
      else if (interspersed) args.push(word)
      else return [...args, word, ...this.#argv]
    }
    return args
  }

  #long(word: string): void {
    const body = word.slice(2)
    if (body === '' || body.startsWith('-') || body.startsWith('=')) throw new FlagError(`bad flag syntax: ${word}`)
    const [given, value] = cut(body, '=')
    const name = this.#byAlias.get(given) ?? given
    const flag = Object.hasOwn(this.#specs, name) ? this.#specs[name] : undefined
    if (!flag) {
      if (name === 'help') throw new HelpRequested(false)
      throw new FlagError(`unknown flag: --${given}`)
    }
    const text = value ?? flag.alone ?? this.#argv.shift()
    if (text === undefined) throw new FlagError(`flag needs an argument: --${given}`)
    this.#set(name, flag, text)
  }

  #short(word: string): void {
    let rest = word.slice(1)
    while (rest !== '') {
      const letter = rest.charAt(0)
      const tail = rest.slice(1)
      const name = this.#byShort.get(letter)
      const flag = name === undefined ? undefined : this.#specs[name]
      if (name === undefined || !flag) {
        if (letter === 'h') throw new HelpRequested(true)
        throw new FlagError(`unknown shorthand flag: '${letter}' in -${rest}`)
      }
      const assigned = tail.startsWith('=') && tail.length > 1
      if (flag.alone !== undefined && !assigned) {
        this.#set(name, flag, flag.alone)
        rest = tail
        continue
      }
      const value = assigned ? tail.slice(1) : tail !== '' ? tail : this.#argv.shift()
      if (value === undefined) throw new FlagError(`flag needs an argument: '${letter}' in -${rest}`)
      this.#set(name, flag, value)
      return
    }
  }

  #set(name: string, flag: Flag<unknown>, text: string): void {
    try {
      this.values[name] = flag.set(this.values[name], text)
    } catch (error) {
      const shown = flag.short ? `-${flag.short}, --${name}` : `--${name}`
      throw new FlagError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${(error as Error).message}`)
    }
    this.given.add(name)
  }
}
