/** Lists of processors or memory nodes as the kernel writes them: `0-3,7`. */

/** dockerd's ceiling for a processor's number. */
export const highestProcessor = 8192

/** The numbers, or a complaint in Docker's words. */
export function parseIntegerList(text: string, maximum: number): Set<number> | string {
  const numbers = new Set<number>()
  for (const part of text === '' ? [] : text.split(',')) {
    const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? []
    if (first === '' || Number(first) > Number(last)) return `invalid format: ${text}`
    if (Number(last) > maximum) return `value of out range, maximum is ${maximum}`
    for (let number = Number(first); number <= Number(last); number += 1) numbers.add(number)
  }
  return numbers
}
