/** A container's configuration from the user's and the image's, by Docker's rules. Pure. */
import type * as wire from '@dockerd-ts/api'
import { invalidArgument } from '../errors/engine-error.ts'
import { cleanPath } from '../mounts/container-path.ts'
import type { ImageConfig } from '../ports/images.ts'

/** Throws invalidArgument `no command specified` when neither says what to run. */
export function mergeConfig(user: wire.ContainerConfig, image: ImageConfig): wire.ContainerConfig {
  const merged = fillIn(user, image)
  if (!merged.Entrypoint?.length && !merged.Cmd?.length) throw invalidArgument('no command specified')
  // The OCI runtime makes every directory that a path passes through, those that a `..` leaves again too.
  return merged.WorkingDir ? { ...merged, WorkingDir: cleanPath(merged.WorkingDir) } : merged
}

/** For an image made from a container: the same rules, but an image may have no command. */
export function mergeIntoImageConfig(asked: wire.ContainerConfig, own: ImageConfig): ImageConfig {
  return fillIn(asked, own) as ImageConfig
}

function fillIn(user: wire.ContainerConfig, image: ImageConfig): wire.ContainerConfig {
  const merged: wire.ContainerConfig = {
    ...user,
    User: user.User || image.User || '',
    Env: mergeEnvironment(user.Env, image.Env),
    Labels: { ...image.Labels, ...user.Labels },
    WorkingDir: user.WorkingDir || image.WorkingDir || '',
    ...mergeCommand(user, image),
  }
  const ports = { ...image.ExposedPorts, ...user.ExposedPorts }
  if (Object.keys(ports).length > 0) merged.ExposedPorts = ports
  const volumes = { ...image.Volumes, ...user.Volumes }
  merged.Volumes = Object.keys(volumes).length > 0 ? volumes : null
  const stopSignal = user.StopSignal || image.StopSignal
  if (stopSignal) merged.StopSignal = stopSignal
  const healthcheck = mergeHealthcheck(user.Healthcheck, image.Healthcheck)
  if (healthcheck) merged.Healthcheck = healthcheck
  if (image.Shell && !user.Shell) merged.Shell = image.Shell
  return merged
}

/** The user's variables first, then those of the image that the user did not set. */
function mergeEnvironment(user: string[] | null | undefined, image: string[] | null | undefined): string[] | null {
  if (!user?.length) return image ? [...image] : (user ?? null)
  const nameOf = (entry: string) => entry.split('=', 1)[0]
  const names = new Set(user.map(nameOf))
  return [...user, ...(image ?? []).filter((entry) => !names.has(nameOf(entry)))]
}

function mergeCommand(
  user: wire.ContainerConfig,
  image: ImageConfig,
): Pick<wire.ContainerConfig, 'Entrypoint' | 'Cmd'> {
  let entrypoint = user.Entrypoint ?? null
  let command = user.Cmd ?? null
  if (!entrypoint?.length) {
    if (!command?.length) command = image.Cmd ?? null
    // An empty list given by the user clears the image's entrypoint; null takes it.
    entrypoint ??= image.Entrypoint ?? null
  }
  if (entrypoint?.length === 1 && entrypoint[0] === '') entrypoint = null
  return { Entrypoint: entrypoint, Cmd: command }
}

function mergeHealthcheck(
  user: wire.HealthConfig | null | undefined,
  image: ImageConfig['Healthcheck'],
): wire.HealthConfig | null | undefined {
  if (!user || !image) return user ?? image
  const merged: wire.HealthConfig = { ...image, ...user }
  for (const key of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'] as const) {
    const value = user[key] || image[key]
    if (value) merged[key] = value
  }
  merged.Test = user.Test?.length ? user.Test : (image.Test ?? null)
  return merged
}
