/** Hands this terminal over to a container: every key goes there, and what comes from there is shown untouched. */
import { spawnSync } from 'node:child_process'

const STTY_TIMEOUT_MS = 2_000

/** Returns the function that gives the terminal back. */
export function enterRawMode(): () => void {
  process.stdin.setRawMode(true)
  // Node's raw mode goes on turning a line feed into carriage return and line feed, which moves the cursor where a
  // full-screen program does not expect it. Leaving raw mode restores this too. Without stty it stays as it is.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'], timeout: STTY_TIMEOUT_MS })
  return () => {
    process.stdin.setRawMode(false)
  }
}
