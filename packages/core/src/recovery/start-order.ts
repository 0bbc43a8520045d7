/**
 * Which containers a start at boot waits for: those that it is linked to or whose namespaces it joins, without which it
 * could not start, and where that is wanted what Compose has written into the labels. Pure.
 */
import type { Container } from '../containers/container.ts'

const dependsOnLabel = 'com.docker.compose.depends_on'
const projectLabel = 'com.docker.compose.project'
const serviceLabel = 'com.docker.compose.service'

export interface StartDependency {
  on: Container
  condition: 'service_started' | 'service_healthy' | 'service_completed_successfully'
}

/**
 * For each of these containers those of them that it depends on. A circle is cut where it closes: what depends on itself
 * must start all the same.
 */
export function startDependencies(
  containers: readonly Container[],
  { composeLabels }: { composeLabels: boolean },
): Map<Container, StartDependency[]> {
  const byService = new Map<string, Container[]>()
  for (const container of containers) {
    const key = serviceKey(container, container.record.config.Labels?.[serviceLabel])
    byService.set(key, [...(byService.get(key) ?? []), container])
  }
  const found = new Map<Container, StartDependency[]>()
  const path = new Set<Container>()
  const visit = (container: Container) => {
    if (found.has(container)) return
    path.add(container)
    const services = composeLabels ? declared(container) : []
    const dependencies = services.flatMap(({ service, condition }) =>
      (byService.get(serviceKey(container, service)) ?? []).map((on) => ({ on, condition })),
    )
    for (const on of needed(container, containers)) dependencies.push({ on, condition: 'service_started' })
    const straight = dependencies.filter(({ on }) => !path.has(on))
    for (const { on } of straight) visit(on)
    path.delete(container)
    found.set(container, straight)
  }
  for (const container of containers) visit(container)
  return found
}

/** `HostConfig` has names as they were written at create, or whole ids. */
function needed({ record }: Container, containers: readonly Container[]): Container[] {
  const { Links: links, NetworkMode, IpcMode, PidMode } = record.hostConfig
  const joined = [NetworkMode, IpcMode, PidMode].flatMap((mode) => /^container:(.+)$/.exec(mode ?? '')?.[1] ?? [])
  const linked = (links ?? []).map((link) => (link.split(':')[0] ?? '').replace(/^\//, ''))
  const references = new Set([...joined, ...linked])
  if (references.size === 0) return []
  return containers.filter(({ id, record: { name } }) => references.has(id) || references.has(name))
}

const serviceKey = ({ record }: Container, service: string | undefined): string =>
  JSON.stringify([record.config.Labels?.[projectLabel], service])

/** `db:service_healthy:true,cache:service_started:false`; older Compose wrote names alone. */
function declared({ record }: Container): { service: string; condition: StartDependency['condition'] }[] {
  if (record.config.Labels?.[projectLabel] === undefined) return []
  const entries = (record.config.Labels[dependsOnLabel] ?? '').split(',').filter((entry) => entry !== '')
  return entries.map((entry) => {
    const [service = '', condition] = entry.split(':')
    return { service, condition: isCondition(condition) ? condition : 'service_started' }
  })
}

const isCondition = (text: string | undefined): text is StartDependency['condition'] =>
  text === 'service_healthy' || text === 'service_completed_successfully' || text === 'service_started'
