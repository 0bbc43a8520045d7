/** The host's `ps`, for `docker top`. */
import { internal } from '@dockerd-ts/core'
import { CommandError, tryCommand } from '../command/run-command.ts'

const limits = { timeoutMs: 10_000, maxOutputBytes: 16 * 1024 * 1024 }

/** What ps prints. Throws internal with ps's own first line of complaint, as Docker does. */
export async function listProcesses(psArguments: readonly string[]): Promise<string> {
  try {
    const { exitCode, stdout, stderr } = await tryCommand(['ps', ...psArguments], limits)
    if (exitCode === 0) return stdout
    throw internal(`ps: ${firstLine(stderr) || `exit status ${exitCode}`}`)
  } catch (error) {
    if (error instanceof CommandError) throw internal(`Error running ps: ${error.message}`, error)
    throw error
  }
}

const firstLine = (text: string) => text.trim().split('\n')[0] ?? ''
