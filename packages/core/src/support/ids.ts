/** Identifiers: 64 hexadecimal digits, as Docker's are. */
import { randomBytes } from 'node:crypto'

/** Never all digits in the first twelve: Docker avoids short ids that read as a number (they are default hostnames). */
export function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex')
    if (!/^\d{12}/.test(id)) return id
  }
}

export const shortId = (id: string): string => id.slice(0, 12)
