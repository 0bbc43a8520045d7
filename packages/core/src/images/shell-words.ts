/** Words, quotes and variables as Dockerfile instructions have them. */

const nameStart = /[A-Za-z_]/
const nameRest = /[A-Za-z0-9_]/

/** Splits at blanks outside quotes; quotes and backslashes are kept for `unquote`. */
export function splitWords(text: string): string[] {
  const words: string[] = []
  let word = ''
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? ''
    if (char === '\\' && quote !== "'" && at + 1 < text.length) {
      word += char + text[++at]
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== '') words.push(word)
      word = ''
    } else {
      if (quote === '' && (char === '"' || char === "'")) quote = char
      else if (char === quote) quote = ''
      word += char
    }
  }
  if (word !== '') words.push(word)
  return words
}

/** Removes quotes and backslashes and replaces `$name`, `${name}`, `${name:-other}`, `${name:+other}`. */
export function expandWord(text: string, environment: ReadonlyMap<string, string>): string {
  let result = ''
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? ''
    if (quote === "'") {
      if (char === "'") quote = ''
      else result += char
    } else if (char === '\\' && at + 1 < text.length) {
      const next = text[++at] ?? ''
      // Inside double quotes a backslash escapes only what is special there.
      result += quote === '"' && !'"$\\'.includes(next) ? char + next : next
    } else if (char === '$') {
      const [value, end] = expandVariable(text, at, environment)
      result += value
      at = end
    } else if (char === '"' || (char === "'" && quote === '')) quote = quote === char ? '' : char
    else result += char
  }
  return result
}

/** The value, and the place of the variable's last character. */
function expandVariable(text: string, at: number, environment: ReadonlyMap<string, string>): [string, number] {
  const next = text[at + 1] ?? ''
  if (next === '{') {
    const end = closingBrace(text, at + 2)
    return [expandBraced(text.slice(at + 2, end), environment), end]
  }
  if (!nameStart.test(next)) return ['$', at]
  let end = at + 1
  while (nameRest.test(text[end + 1] ?? '')) end++
  return [environment.get(text.slice(at + 1, end + 1)) ?? '', end]
}

function closingBrace(text: string, from: number): number {
  let depth = 1
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return at
  }
  return text.length
}

function expandBraced(body: string, environment: ReadonlyMap<string, string>): string {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([\s\S]*))?$/.exec(body)
  if (match === null) return ''
  const [, name = '', operator = '', word = ''] = match
  const value = environment.get(name)
  const isSet = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined
  if (operator.endsWith('-')) return isSet ? (value ?? '') : expandWord(word, environment)
  if (operator.endsWith('+')) return isSet ? expandWord(word, environment) : ''
  return value ?? ''
}
