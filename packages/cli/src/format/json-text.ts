/** Re-indents JSON without parsing it, so that order, numbers and escapes stay as the daemon wrote them. */

export function indentJson(text: string, indent: string): string {
  let output = ''
  let depth = 0
  let position = 0
  const newline = () => `\n${indent.repeat(depth)}`
  while (position < text.length) {
    const letter = text.charAt(position)
    if (letter === '"') {
      const end = stringEnd(text, position)
      output += text.slice(position, end)
      position = end
      continue
    }
    position++
    if (letter === '{' || letter === '[') {
      const close = /^\s*[\]}]/.exec(text.slice(position, position + 64))
      if (close) {
        output += letter + close[0].trim()
        position += close[0].length
        continue
      }
      depth++
      output += letter + newline()
    } else if (letter === '}' || letter === ']') {
      depth--
      output += newline() + letter
    } else if (letter === ',') output += letter + newline()
    else if (letter === ':') output += ': '
    else if (!/\s/.test(letter)) output += letter
  }
  return output
}

function stringEnd(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const letter = text.charAt(index)
    if (letter === '\\') index++
    else if (letter === '"') return index + 1
  }
  return text.length
}
