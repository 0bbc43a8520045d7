/** The options of an overlay mount, short enough for the one page that mount(2) takes. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { EngineError } from '@dockerd-ts/core'

export interface OverlayDirectories {
  /** Relative lower paths start here. */
  workingDirectory: string
  /** Absolute, topmost first. */
  lower: readonly string[]
  /** Absolute; without them the mount is read-only and needs two lower directories. */
  upper?: string
  work?: string
  /** The writable layer lies in a mount with these ids. */
  idMap?: string
}

/** mount(2) copies at most one page. */
const optionsLimitBytes = 4095

/** Throws internal when the layers' names together are too long. */
export function overlayOptions(directories: OverlayDirectories, features: readonly string[]): string {
  const { workingDirectory, lower, upper, work } = directories
  const shortest = lower.map((directory) => escapeOption(shorter(workingDirectory, directory)))
  const options = [
    `lowerdir=${shortest.join(':')}`,
    ...(upper && work ? [`upperdir=${escapeUpper(upper)}`, `workdir=${escapeUpper(work)}`] : []),
    ...features,
  ].join(',')
  const bytes = Buffer.byteLength(options)
  if (bytes > optionsLimitBytes) {
    throw new EngineError(
      'internal',
      `the image has too many layers to mount: ${lower.length} directories need ${bytes} bytes of options, ` +
        `the kernel takes ${optionsLimitBytes}`,
    )
  }
  return options
}

const shorter = (from: string, to: string): string => {
  const relative = path.relative(from, to)
  return relative.length < to.length && relative !== '' ? relative : to
}

/** overlayfs splits at `:` and mount options at `,`; a backslash keeps both. */
const escapeOption = (text: string): string => text.replace(/[\\:,]/g, '\\$&')
const escapeUpper = (text: string): string => text.replace(/[\\,]/g, '\\$&')

/**
 * Features that the kernel may have switched on by default and that would make the writable layer unreadable without
 * the mount: renamed directories that point into the image, files that are metadata only.
 */
export async function overlayFeatures(parameters = '/sys/module/overlay/parameters'): Promise<string[]> {
  const names = ['index', 'redirect_dir', 'metacopy']
  const values = await Promise.all(names.map((name) => readFile(`${parameters}/${name}`, 'utf8').catch(() => 'N')))
  return names.filter((_, index) => values[index]?.trim() === 'Y').map((name) => `${name}=off`)
}
