/** What a registry wants its users told: `Warning: 299 - "text"` (OCI distribution specification, "Warnings"). */
import type { Logger } from '@dockerd-ts/core'

const maxWarnings = 10
const maxLength = 4096
const pattern = /(?:^|,)\s*299 - "((?:[^"\\]|\\.)*)"/g

/** Logs each warning of one conversation once. */
export class RegistryWarnings {
  readonly #logger: Logger
  readonly #about: { registry: string; repository: string }
  readonly #told = new Set<string>()

  constructor(logger: Logger, about: { registry: string; repository: string }) {
    this.#logger = logger
    this.#about = about
  }

  note(header: string | undefined): void {
    for (const [, quoted = ''] of (header ?? '').slice(0, maxLength).matchAll(pattern)) {
      const warning = quoted.replace(/\\(.)/g, '$1')
      if (this.#told.has(warning) || this.#told.size >= maxWarnings) continue
      this.#told.add(warning)
      this.#logger.warn({ ...this.#about, warning }, 'a registry warns')
    }
  }
}
