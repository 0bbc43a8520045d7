/** Directories that images are known to have: what is there need not be looked for again, which takes a mount. */
export class ImageDirectories {
  readonly #known = new Set<string>()

  has(imageId: string, directory: string): boolean {
    return this.#known.has(`${imageId} ${directory}`)
  }

  add(imageId: string, directory: string): void {
    if (this.#known.size >= maxKnown) this.#known.clear()
    this.#known.add(`${imageId} ${directory}`)
  }
}

const maxKnown = 1000
