/** The files that describe CDI devices, as their authors write them: schema and rules of the format's own library. */
import * as z from 'zod'

/** Larger than any real one by far; what a hostile one may cost. */
export const largestSpecBytes = 512 * 1024

const versions = ['0.1.0', '0.2.0', '0.3.0', '0.4.0', '0.5.0', '0.6.0', '0.7.0', '0.8.0', '1.0.0', '1.1.0']
const text = z.string().min(1).max(4096)
const uint32 = z.number().int().min(0).max(0xffff_ffff)
const env = z.array(z.string().regex(/^[^=]+=/, 'invalid environment variable'))
const annotations = z.record(z.string(), z.string()).nullish()

const deviceNode = z.strictObject({
  path: text,
  hostPath: z.string().optional(),
  type: z.enum(['', 'b', 'c', 'u', 'p']).optional(),
  major: uint32.optional(),
  minor: uint32.optional(),
  fileMode: z.number().int().min(0).max(0o7777).optional(),
  permissions: z
    .string()
    .regex(/^(?:[rwm]*|none)$/, 'invalid permissions')
    .optional(),
  uid: uint32.optional(),
  gid: uint32.optional(),
})
export type CdiDeviceNode = z.infer<typeof deviceNode>

const hookNames = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const

const containerEdits = z.strictObject({
  env: env.nullish(),
  deviceNodes: z.array(deviceNode).nullish(),
  mounts: z
    .array(
      z.strictObject({
        hostPath: text,
        containerPath: text,
        options: z.array(z.string()).nullish(),
        type: z.string().optional(),
      }),
    )
    .nullish(),
  hooks: z
    .array(
      z.strictObject({
        hookName: z.enum(hookNames),
        path: text,
        args: z.array(z.string()).nullish(),
        env: env.nullish(),
        timeout: z.number().int().optional(),
      }),
    )
    .nullish(),
  additionalGids: z.array(uint32).nullish(),
  /** Known, and refused when the device is asked for. */
  intelRdt: z.looseObject({}).nullish(),
  netDevices: z.array(z.looseObject({})).nullish(),
})
export type CdiEdits = z.infer<typeof containerEdits>

const device = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9](?:[\w.:-]*[A-Za-z0-9])?$/, 'invalid name'),
  annotations,
  containerEdits: containerEdits.refine((edits) => Object.values(edits).some((edit) => edit != null), {
    error: 'invalid device, empty device edits',
  }),
})

const vendorAndClass = /^[A-Za-z](?:[\w.-]*[A-Za-z0-9])?\/[A-Za-z](?:[\w-]*[A-Za-z0-9])?$/

const document = z.strictObject({
  cdiVersion: z.enum(versions, { error: 'invalid version' }),
  kind: z.string().regex(vendorAndClass, 'invalid vendor or class'),
  annotations,
  devices: z
    .array(device)
    .min(1, 'no devices')
    .refine((devices) => new Set(devices.map(({ name }) => name)).size === devices.length, {
      error: 'several devices of one name',
    }),
  containerEdits: containerEdits.nullish(),
})
export type CdiDocument = z.infer<typeof document>

/** YAML, of which JSON is a part. Throws Error with what is wrong. */
export async function parseCdiDocument(source: string): Promise<CdiDocument> {
  // Loaded by the first who has such a file: most hosts have none.
  const { parse } = await import('./yaml.ts')
  const result = document.safeParse(parse(source))
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new Error(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`)
}
