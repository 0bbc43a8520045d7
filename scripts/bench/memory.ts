/** Memory of an engine's processes: the daemon's tree and what runs for its containers, without the containers. */
import { readdirSync, readFileSync } from 'node:fs'

interface Process {
  pid: number
  parent: number
  command: string
}

function processes(): Process[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'latin1')
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
        return [{ pid: Number(entry), parent, command: readFileSync(`/proc/${entry}/cmdline`, 'latin1') }]
      } catch {
        return []
      }
    })
}

function tree(all: readonly Process[], roots: readonly number[]): Set<number> {
  const found = new Set(roots)
  for (let size = -1; size !== found.size; ) {
    size = found.size
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid)
  }
  return found
}

/** MB (10^6). Processes whose command names one of `containerIds` (shims, monitors) belong to the engine too. */
export function memoryOf(
  daemonPids: readonly number[],
  inits: readonly number[],
  containerIds: readonly string[] = [],
): { pss: number; private: number } {
  const all = processes()
  const ofContainers = tree(all, inits)
  const helpers = all.filter(({ command }) => containerIds.some((id) => command.includes(id))).map(({ pid }) => pid)
  let pss = 0
  let anonymous = 0
  for (const pid of tree(all, [...daemonPids, ...helpers])) {
    if (ofContainers.has(pid)) continue
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
      pss += Number(/^Pss: +(\d+)/m.exec(text)?.[1] ?? 0)
      anonymous += Number(/^Pss_Anon: +(\d+)/m.exec(text)?.[1] ?? 0)
    } catch {
      // It ended meanwhile.
    }
  }
  return { pss: (pss * 1024) / 1e6, private: (anonymous * 1024) / 1e6 }
}
