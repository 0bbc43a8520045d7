/**
 * Loaded into the daemon under measurement (`NODE_OPTIONS=--import`): tells over a socket how long its event loop was
 * blocked at most since it was asked last, and its peak memory. Not part of the product.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const path = process.env.DOCKERD_TS_LOOP_PROBE
// Only the daemon itself, not the programs it starts.
delete process.env.NODE_OPTIONS
delete process.env.DOCKERD_TS_LOOP_PROBE
if (path !== undefined) {
  const resolutionMs = 5
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  const server = createServer((socket) => {
    const peakKib = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
    socket.end(JSON.stringify({ blockedMs: Math.max(0, delay.max / 1e6 - resolutionMs), peakMiB: peakKib / 1024 }))
    delay.reset()
    // Sets the peak back to what is resident now.
    writeFileSync('/proc/self/clear_refs', '5')
  })
  server.listen(path)
  server.unref()
}
