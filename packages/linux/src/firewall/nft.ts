/** Runs nft(8), on the cold path: the frame of our table at start, its rules when networks change. */
import { runCommand, tryCommand } from '../command/run-command.ts'

const bounds = { timeoutMs: 10_000, maxOutputBytes: 16_777_216 }

/** One transaction: all of it or nothing. Throws with nft's own words. */
export async function applyNft(script: string): Promise<void> {
  await runCommand(['nft', '-f', '-'], { ...bounds, input: script })
}

interface NftChain {
  family: string
  table: string
  name: string
  hook?: string
  policy?: string
}

/**
 * Chains of others that drop what is forwarded unless they say otherwise, e.g. `ip filter FORWARD`. We cannot overrule
 * them from a table of our own; the administrator must be told.
 */
export async function droppingForwardChains(ownTable: string): Promise<string[]> {
  const { exitCode, stdout } = await tryCommand(['nft', '-j', 'list', 'chains'], bounds)
  if (exitCode !== 0) return []
  const { nftables = [] } = JSON.parse(stdout || '{}') as { nftables?: { chain?: NftChain }[] }
  return nftables.flatMap(({ chain }) =>
    chain?.hook === 'forward' && chain.policy === 'drop' && chain.table !== ownTable
      ? [`${chain.family} ${chain.table} ${chain.name}`]
      : [],
  )
}

/** One transaction with both, or the first alone where the kernel cannot do the second. Answers whether it could. */
export async function applyNftWithOptional(script: string, optional: string): Promise<boolean> {
  try {
    await applyNft(script + optional)
    return true
  } catch {
    await applyNft(script)
    return false
  }
}

/** Of both families. Already gone counts as done, a family that the kernel does not have too. */
export async function removeTables(table: string): Promise<void> {
  for (const family of ['inet', 'netdev']) {
    const { exitCode, stderr } = await tryCommand(['nft', 'delete', 'table', family, table], bounds)
    if (exitCode !== 0 && !/No such file or directory|not supported/.test(stderr)) {
      throw new Error(`cannot remove the table ${family} ${table}: ${stderr.trim()}`)
    }
  }
}
