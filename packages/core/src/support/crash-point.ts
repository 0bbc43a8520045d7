/**
 * Named points between the steps of an operation. Normally nothing happens there; when the environment variable
 * DOCKERD_TS_CRASH_POINT names one, the process kills itself at it, so that a test can show that a restart leaves API
 * and kernel in agreement from every one of them.
 */

export const crashPoints = [
  'create:recorded',
  'create:root-filesystem-made',
  'create:volumes-made',
  'create:done',
  'start:recorded',
  'start:root-filesystem-mounted',
  'start:network-connected',
  'start:prepared',
  'start:monitor-prepared',
  'start:spec-written',
  'start:process-started',
  'start:running-recorded',
  'exit:seen',
  'exit:recorded',
  'exit:network-released',
  'exit:unmounted',
  'stop:recorded',
  'stop:signalled',
  'kill:signalled',
  'pause:frozen',
  'unpause:thawed',
  'rename:recorded',
  'update:applied',
  'remove:recorded',
  'remove:root-filesystem-removed',
  'remove:log-kept',
  'remove:files-removed',
  'remove:row-deleted',
  'restart:scheduled',
  'archive:opened',
  'extract:opened',
  'extract:written',
  'commit:paused',
  'commit:packed',
  'commit:done',
  'exec:recorded',
  'exec:process-started',
  'exec:exited',
  'health:probed',
] as const

/** Those in adapters: between the file or kernel object and its row. */
export const adapterCrashPoints = [
  'blob:staged',
  'blob:moved',
  'blob:recorded',
  'layer:unpacked',
  'layer:moved',
  'layer:recorded',
  'index:prepared',
  'image:recorded',
  'image:rows-deleted',
  'image:files-moved-aside',
  'image:files-deleted',
  'endpoint:recorded',
  'network:recorded',
  'network:bridge-made',
  'network:bridge-removed',
  'network:row-deleted',
  'connect:recorded',
  'connect:interface-added',
  'disconnect:interface-removed',
  'disconnect:recorded',
  'volume:directories-made',
  'volume:recorded',
  'volume:content-staged',
  'volume:content-moving',
  'volume:moved-aside',
  'volume:row-deleted',
] as const

export type CrashPoint = (typeof crashPoints)[number] | (typeof adapterCrashPoints)[number]

let armed: string | undefined = process.env.DOCKERD_TS_CRASH_POINT
let onCrash: () => void = () => {
  process.kill(process.pid, 'SIGKILL')
}

export function crashPoint(name: CrashPoint): void {
  if (armed === name) onCrash()
}

/** For tests in the same process: `crash` is called instead of killing it. Answers a function that disarms. */
export function armCrashPoint(name: CrashPoint, crash: () => void): () => void {
  const before = { armed, onCrash }
  armed = name
  onCrash = crash
  return () => {
    armed = before.armed
    onCrash = before.onCrash
  }
}
