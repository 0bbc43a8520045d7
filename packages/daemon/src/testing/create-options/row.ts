/** What a row of the tables says of one field of a create request. */
import type { CgroupFacts } from '@dockerd-ts/core'

/** Path in the request: `[]` is the first entry of a list, `{}` the first of a map. */
export type FieldPath = string

export interface Row {
  field: FieldPath
  value: unknown
  /** The rest of the request, which both the container with the field and the one without it have. */
  with: object
  /** Where the host's cgroups are others than those of the usual cgroup v2. */
  on: Partial<CgroupFacts>
  /** Without the field the container is refused. */
  neededToStart: boolean
  effect: Effect
}

export type Effect =
  /** Places of what was seen (see observe.ts) and their values; each differs without the field. */
  | { kind: 'shown'; at: Readonly<Record<string, unknown>> }
  | { kind: 'refused'; status: number; text: string }
  /** Docker's clients send it, and it has no meaning; the reason says whose it is. */
  | { kind: 'without-effect'; reason: string }

interface Around {
  with?: object
  on?: Partial<CgroupFacts>
  neededToStart?: boolean
}

const row = (field: FieldPath, value: unknown, effect: Effect, around: Around): Row => ({
  with: {},
  on: {},
  neededToStart: false,
  ...around,
  field,
  value,
  effect,
})

/** The value of the field, and where it is seen. */
export const shows = (
  field: FieldPath,
  value: unknown,
  at: Readonly<Record<string, unknown>>,
  around: Around = {},
): Row => row(field, value, { kind: 'shown', at }, around)

/** Status and text of Docker's refusal, at create or at start. */
export const refuses = (
  field: FieldPath,
  value: unknown,
  [status, text]: readonly [number, string],
  around: Around = {},
): Row => row(field, value, { kind: 'refused', status, text }, around)

export const hasNoEffect = (field: FieldPath, value: unknown, reason: string, around: Around = {}): Row =>
  row(field, value, { kind: 'without-effect', reason }, around)

/** A host with cgroup v1, as far as it can do more. */
export const cgroupV1: Partial<CgroupFacts> = {
  version: '1',
  memorySwappiness: true,
  oomKillDisable: true,
  cpuRealtime: true,
}

/** A field of HostConfig that inspect echoes. */
export const hostShows = (
  field: string,
  value: unknown,
  at: Readonly<Record<string, unknown>>,
  around: Around = {},
): Row => shows(`HostConfig.${field}`, value, { [`inspect.HostConfig.${field}`]: value, ...at }, around)

export const hostRefuses = (
  field: string,
  value: unknown,
  refusal: readonly [number, string],
  around: Around = {},
): Row => refuses(`HostConfig.${field}`, value, refusal, around)

/** A field of the container's own configuration that inspect echoes. */
export const configShows = (
  field: string,
  value: unknown,
  at: Readonly<Record<string, unknown>>,
  around: Around = {},
): Row => shows(field, value, { [`inspect.Config.${field}`]: value, ...at }, around)
