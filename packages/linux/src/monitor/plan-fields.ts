/** Turns a monitor's plan into fields of its protocol. Pure. */
import type { LogPlan, MonitorPlan } from '@dockerd-ts/core'
import type { Field } from '../syscalls/frames.ts'
import { tag } from '../syscalls/protocol.ts'

export function planFields(plan: MonitorPlan): Field[] {
  const { process, runtime } = plan
  const fields: Field[] = [
    [tag.KIND, process.kind === 'exec' ? 1 : 0],
    [tag.CONTAINER_ID, process.containerId],
    process.kind === 'exec' ? [tag.PROCESS_FILE, process.processFile] : [tag.BUNDLE, process.bundle],
    [tag.PATH, runtime.path],
    ...runtime.globalArguments.map((argument): Field => [tag.ARGUMENT, argument]),
    [tag.TERMINAL, plan.terminal ? 1 : 0],
    [tag.OPEN_STDIN, plan.openStdin ? 1 : 0],
    [tag.STDIN_ONCE, plan.stdinOnce ? 1 : 0],
    ...(plan.cgroupDirectories ?? []).map((directory): Field => [tag.CGROUP, directory]),
    ...logFields(plan.log),
  ]
  if (runtime.hideCgroup2Mount !== undefined) fields.push([tag.HIDE_CGROUP2, runtime.hideCgroup2Mount])
  // Counted from the lowest score there is: numbers have no sign.
  if (plan.oomScoreAdj !== undefined) fields.push([tag.OOM_SCORE, plan.oomScoreAdj + 1000])
  if (plan.runtimeStateDirectory !== undefined) fields.push([tag.STATE_DIRECTORY, plan.runtimeStateDirectory])
  if (plan.consoleSize !== undefined) {
    fields.push([tag.HEIGHT, plan.consoleSize.height], [tag.WIDTH, plan.consoleSize.width])
  }
  return fields
}

function logFields(log: LogPlan | undefined): Field[] {
  if (log === undefined) return []
  const fields: Field[] = [
    [tag.LOG_PATH, log.path],
    [tag.LOG_MAX_SIZE, log.maxSizeBytes],
    [tag.LOG_MAX_FILES, log.maxFiles],
    [tag.LOG_COMPRESS, log.compress ? 1 : 0],
  ]
  if (log.attributesJson !== undefined) fields.push([tag.LOG_ATTRIBUTES, log.attributesJson])
  return fields
}
