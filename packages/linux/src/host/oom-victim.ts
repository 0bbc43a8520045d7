/** Which process the kernel killed for want of memory: read from its own log, where that can be read. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** One read gives one record; this many are more than the kernel's buffer holds by default. */
const recordLimit = 20_000
const recordBytes = 8192

export interface OomVictim {
  pid: number
  name: string
}

/** The last one of a container's control group; undefined when the log has none or cannot be read. */
export async function oomVictim(containerId: string): Promise<OomVictim | undefined> {
  let found: OomVictim | undefined
  try {
    const log = await open('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const buffer = Buffer.alloc(recordBytes)
      for (let count = 0; count < recordLimit; count++) {
        const size = await readRecord(log, buffer)
        if (size === undefined) break
        found = parseOomRecord(buffer.toString('utf8', 0, size), containerId) ?? found
      }
    } finally {
      await log.close()
    }
  } catch {
    // No permission, or no such device: the end is explained without a name.
  }
  return found
}

/** undefined at the end. A record that was overwritten while we read (EPIPE) is skipped. */
async function readRecord(log: Awaited<ReturnType<typeof open>>, buffer: Buffer): Promise<number | undefined> {
  try {
    const { bytesRead } = await log.read(buffer, 0, buffer.length, null)
    return bytesRead
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EPIPE') return 0
    return undefined
  }
}

/** `oom-kill:constraint=…,task_memcg=/docker/<id>,task=<name>,pid=<pid>,uid=<uid>`. A name may hold anything but a line end. */
export function parseOomRecord(record: string, containerId: string): OomVictim | undefined {
  const match = /oom-kill:.*task_memcg=([^\n]*?),task=([^\n]*),pid=(\d+),uid=\d+/.exec(record)
  if (!match?.[1]?.includes(containerId)) return undefined
  return { name: match[2] ?? '', pid: Number(match[3]) }
}
