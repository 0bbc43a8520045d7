/** The key sequence that leaves an attached container, by default ctrl-p ctrl-q. */

const NAMED: Record<string, number> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 }

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q'

/** `ctrl-p,ctrl-q` -> [16, 17]. Throws on a key that is none. */
export function parseDetachKeys(text: string): number[] {
  return text.split(',').map((key) => {
    if (key.length === 1) return key.charCodeAt(0)
    if (key === 'DEL') return 127
    const letter = key.startsWith('ctrl-') ? key.slice('ctrl-'.length) : ''
    if (/^[a-z]$/.test(letter)) return letter.charCodeAt(0) - 96
    const code = Object.hasOwn(NAMED, letter) ? NAMED[letter] : undefined
    if (code === undefined) throw new Error(`Unknown character: '${key}'`)
    return code
  })
}

/** Watches input for the sequence. Bytes that begin it are held back until it is clear whether it goes on. */
export class DetachScanner {
  readonly #keys: readonly number[]
  #matched = 0

  constructor(keys: readonly number[]) {
    this.#keys = keys
  }

  /** What to send on, and whether the sequence is complete (the rest of `input` is dropped then). */
  scan(input: Uint8Array): { forward: Uint8Array; detached: boolean } {
    const forward: number[] = []
    for (const byte of input) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++
        if (this.#matched === this.#keys.length) return { forward: Uint8Array.from(forward), detached: true }
        continue
      }
      forward.push(...this.#keys.slice(0, this.#matched))
      this.#matched = byte === this.#keys[0] ? 1 : 0
      if (this.#matched === 0) forward.push(byte)
    }
    return { forward: Uint8Array.from(forward), detached: false }
  }
}
