/** What a log says of its container: the labels and variables that options name, and the tag. Pure. */
import type * as wire from '@dockerd-ts/api'
import { compileTemplate } from '@dockerd-ts/go-template/execute'
import type { GoValue, Row } from '@dockerd-ts/go-template/values'
import { internal } from '../errors/engine-error.ts'
import type { LogOrigin } from '../ports/log-targets.ts'
import { rfc3339Nano } from '../support/go-time.ts'

type Options = Readonly<Record<string, string>>

/** The labels and variables that the options `labels`, `labels-regex`, `env` and `env-regex` name. */
export function logAttributes(config: wire.ContainerConfig, options: Options): Record<string, string> {
  const variables = Object.fromEntries(
    (config.Env ?? []).map((entry) => {
      const at = entry.indexOf('=')
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
    }),
  )
  return {
    ...selected(config.Labels ?? {}, options.labels, options['labels-regex']),
    ...selected(variables, options.env, options['env-regex']),
  }
}

function selected(from: Options, names: string | undefined, pattern: string | undefined): Record<string, string> {
  const wanted = new Set((names ?? '').split(',').filter((name) => name !== ''))
  const matches = pattern ? new RegExp(pattern) : undefined
  return Object.fromEntries(Object.entries(from).filter(([key]) => wanted.has(key) || matches?.test(key)))
}

const shortIdLength = 12

/** The option `tag` is a Go template over the container (`{{.Name}}/{{.ID}}`). Throws internal, as Docker finds it at the start. */
export function logTag(template: string | undefined, origin: Omit<LogOrigin, 'tag'>): string {
  if (!template) return origin.containerId.slice(0, shortIdLength)
  try {
    return compileTemplate(template).render(tagRow(origin))
  } catch (error) {
    const reason = (error as Error).message
      .replace(/^template: :/, 'template: log-tag:')
      .replace('executing ""', 'executing "log-tag"')
    throw internal(`failed to create task for container: failed to initialize logging driver: ${reason}`, error)
  }
}

/** Fields and methods of the value that Docker gives to the template. */
function tagRow(origin: Omit<LogOrigin, 'tag'>): Row {
  const imageId = origin.imageId.replace(/^sha256:/, '')
  const fields = new Map<string, GoValue>([
    ['ID', origin.containerId.slice(0, shortIdLength)],
    ['FullID', origin.containerId],
    ['Name', origin.containerName],
    ['ImageID', imageId.slice(0, shortIdLength)],
    ['ImageFullID', origin.imageId],
    ['ImageName', origin.imageName],
    ['Command', origin.command.join(' ')],
    ['Hostname', origin.hostname],
    ['DaemonName', 'docker'],
    ['ContainerID', origin.containerId],
    ['ContainerName', `/${origin.containerName}`],
    ['ContainerEntrypoint', origin.command[0] ?? ''],
    ['ContainerArgs', [...origin.command.slice(1)]],
    ['ContainerImageID', origin.imageId],
    ['ContainerImageName', origin.imageName],
    ['ContainerCreated', rfc3339Nano(origin.createdAtNs)],
    ['ExtraAttributes', new Map(Object.entries(origin.attributes))],
  ])
  return {
    rowType: '*logger.Info',
    get: (name) => fields.get(name),
    arity: (name) => (fields.has(name) ? 0 : undefined),
    columns: () => fields,
  }
}
