/** What the tests of the SDKs share: a daemon with a busybox image, and an end that leaves nothing. */
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import Docker from 'dockerode'
import type { Test } from 'tap'
import { type DaemonOptions, startDaemon, type TestDaemon } from './daemon.ts'
import { busyboxRootfs, importImage } from './images.ts'
import { startReference } from './reference-daemon.ts'

export const image = 'busybox:latest'

/** What the tests of SDKs need of a daemon. */
export type Judged = Pick<TestDaemon, 'socket' | 'stop'>

/**
 * The same tests run on a real dockerd when JUDGE_REFERENCE is set, which shows whether they are true.
 */
export const onReference = Boolean(process.env.JUDGE_REFERENCE)

/** A daemon that has `busybox:latest`. */
export async function startWithImage(options: DaemonOptions = {}): Promise<Judged> {
  const daemon = onReference ? await startReference() : await startDaemon(options)
  const tar = busyboxRootfs()
  await importImage(daemon.socket, tar, image)
  rmSync(dirname(tar), { recursive: true })
  return daemon
}

const { version } = createRequire(import.meta.url)('dockerode/package.json') as { version: string }

/** dockerode sends no User-Agent of its own; with one, the daemon's log tells which client called. */
export function dockerode(daemon: Judged, apiVersion?: string): Docker {
  const headers = { 'User-Agent': `dockerode/${version}` }
  return new Docker({
    socketPath: daemon.socket,
    headers,
    ...(apiVersion === undefined ? {} : { version: apiVersion }),
  })
}

/** The last test of a file. */
export function leavesNothing(t: Test, daemon: Judged): void {
  t.test('nothing is left on the machine', async (t) => t.same(await daemon.stop(), []))
}

export async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

/** The status and message of a call that must be refused. */
export async function refusal(call: Promise<unknown>): Promise<[status: number, message: string]> {
  try {
    await call
  } catch (error) {
    const { statusCode, json, message } = error as { statusCode: number; json?: { message: string }; message: string }
    if (statusCode === undefined) throw error
    // Of an answer that is not JSON dockerode gives `(HTTP code 404) reason - text`.
    return [statusCode, json?.message ?? message.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim()]
  }
  throw new Error('the call was not refused')
}
