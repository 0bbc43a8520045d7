/** Digests and chain ids. */
import { createHash } from 'node:crypto'

export function sha256(data: Buffer | string): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`
}

/** Chain ids of the layers, lowest first; https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = []
  for (const diffId of diffIds) {
    const parent = chain.at(-1)
    chain.push(parent === undefined ? diffId : sha256(`${parent} ${diffId}`))
  }
  return chain
}

/** Twelve digits, as progress lines and messages show ids. */
export const shortDigest = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 12)
