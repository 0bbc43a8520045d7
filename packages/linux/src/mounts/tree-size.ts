/** How many bytes a tree holds, counted as Docker counts: lengths of files, each hard-linked file once, no directories. */
import { walkTree } from './safe-walk.ts'

/** A tree that is gone has no bytes. */
export async function treeSizeBytes(root: string): Promise<number> {
  let total = 0n
  const counted = new Set<bigint>()
  for await (const { stat } of walkTree(root, { oneFileSystem: true })) {
    if (stat.isDirectory()) continue
    if (stat.nlink > 1n) {
      if (counted.has(stat.ino)) continue
      counted.add(stat.ino)
    }
    total += stat.size
  }
  return Number(total)
}
