/** The key sequence with which a client leaves a terminal without ending what runs in it. */

/** `ctrl-p,ctrl-q`. */
export const defaultDetachKeys: readonly number[] = [16, 17]

/**
 * Docker's syntax: single characters, `DEL`, or `ctrl-` and one of `@ a-z [ \ ] ^ _`, separated by commas.
 * undefined: not in that syntax.
 */
export function parseDetachKeys(text: string): number[] | undefined {
  const codes = text.split(',').map(keyCode)
  return codes.every((code): code is number => code !== undefined) ? codes : undefined
}

function keyCode(key: string): number | undefined {
  if (key === 'DEL') return 127
  const control = /^ctrl-([@a-z[\\\]^_])$/.exec(key)?.[1]
  if (control !== undefined) return control >= 'a' ? control.charCodeAt(0) - 96 : control.charCodeAt(0) - 64
  return key.length === 1 ? key.charCodeAt(0) : undefined
}

/**
 * Scans what the client types. The sequence itself is swallowed; a beginning of it that goes on otherwise is forwarded
 * whole. The sequence may come in several chunks.
 */
export class DetachScanner {
  readonly #keys: readonly number[]
  #matched = 0

  constructor(keys: readonly number[]) {
    this.#keys = keys
  }

  scan(chunk: Buffer): { forward: Buffer; detached: boolean } {
    if (this.#keys.length === 0) return { forward: chunk, detached: false }
    const forward: number[] = []
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1
        if (this.#matched === this.#keys.length) return { forward: Buffer.from(forward), detached: true }
        continue
      }
      forward.push(...this.#keys.slice(0, this.#matched))
      this.#matched = byte === this.#keys[0] ? 1 : 0
      if (this.#matched === 0) forward.push(byte)
    }
    return { forward: Buffer.from(forward), detached: false }
  }
}
