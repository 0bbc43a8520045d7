/** The processes of a container, as the host's `ps` shows them. */
import type * as wire from '@dockerd-ts/api'
import { conflict, EngineError, internal } from '../errors/engine-error.ts'
import { errorMessage } from '../support/undo-stack.ts'
import { type ContainerContext, publishContainerEvent } from './container-context.ts'
import { hasProcess } from './container-state.ts'

export async function containerTop(
  context: ContainerContext,
  reference: string,
  psArguments: string,
): Promise<wire.ContainerTopResponse> {
  checkPsArguments(psArguments)
  const container = context.registry.find(reference)
  const { record } = container
  if (record.status === 'restarting') {
    throw conflict(`Container ${record.id} is restarting, wait until the container is running`)
  }
  if (!hasProcess(record.status)) throw conflict(`container ${record.id} is not running`)
  const processIds = await context.cgroups.processIds(record.id, record.hostConfig.CgroupParent || undefined)
  const response = selectProcesses(await ps(context, psArguments, processIds), new Set(processIds))
  publishContainerEvent(context, container, { action: 'top' })
  return response
}

/** ps prints only these pids first; where its options do not go together with -q, or none is left, all of them, to be selected here. */
async function ps(context: ContainerContext, psArguments: string, processIds: readonly number[]): Promise<string> {
  const options = psArguments.split(' ').filter((argument) => argument !== '')
  const only = `-q${processIds.join(',')}`
  try {
    return await context.host.listProcesses([...(options.length > 0 ? options : ['-ef']), only])
  } catch {
    return context.host.listProcesses(options.length > 0 ? options : ['-ef']).catch((error: unknown) => {
      if (error instanceof EngineError) throw error
      throw internal(`Error running ps: ${errorMessage(error)}`, error)
    })
  }
}

/** Another column under the name PID would be taken for the pids; Docker answers 500 here. */
function checkPsArguments(psArguments: string): void {
  for (const [, name, header] of psArguments.matchAll(/\s(\S*)=\s*(PID\S*)/g)) {
    if (name !== 'pid') throw internal(`specifying "${name}=${header}" is not allowed`)
  }
}

/** Pure: lines of ps whose PID is the container's; the last column keeps its blanks. Threads follow their process. */
export function selectProcesses(output: string, processIds: ReadonlySet<number>): wire.ContainerTopResponse {
  const [header = '', ...rows] = output.split('\n')
  const titles = header.trim().split(/\s+/)
  const pidColumn = titles.indexOf('PID')
  if (pidColumn < 0) throw internal("Couldn't find PID field in ps output")
  const processes: string[][] = []
  let previousIsOurs = false
  for (const row of rows) {
    if (row.trim() === '') continue
    const fields = row.trim().split(/\s+/)
    const pid = fields[pidColumn] ?? ''
    // Lines of `ps m` about threads carry a dash.
    const ours: boolean = pid === '-' ? previousIsOurs : processIds.has(Number(pid))
    previousIsOurs = ours
    if (!ours) continue
    processes.push([...fields.slice(0, titles.length - 1), fields.slice(titles.length - 1).join(' ')])
  }
  return { Processes: processes.length > 0 ? processes : null, Titles: titles }
}
