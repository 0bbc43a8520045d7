/** Running another process in a container. */
import * as z from 'zod'
import { consoleSize, int64, strings, strSlice } from './primitives.ts'

export const ExecConfig = z.object({
  User: z.string().optional(),
  Privileged: z.boolean().optional(),
  Tty: z.boolean().optional(),
  ConsoleSize: consoleSize.optional(),
  AttachStdin: z.boolean().optional(),
  AttachStdout: z.boolean().optional(),
  AttachStderr: z.boolean().optional(),
  DetachKeys: z.string().optional(),
  Env: strings.nullish(),
  WorkingDir: z.string().optional(),
  Cmd: strSlice.nullish(),
})
export type ExecConfig = z.infer<typeof ExecConfig>

export const ExecStartConfig = z.object({
  Detach: z.boolean().optional(),
  Tty: z.boolean().optional(),
  ConsoleSize: consoleSize.optional(),
})
export type ExecStartConfig = z.infer<typeof ExecStartConfig>

export const ExecInspectResponse = z.object({
  ID: z.string(),
  Running: z.boolean(),
  /** null until it has ended. */
  ExitCode: int64.nullable(),
  ProcessConfig: z.object({
    tty: z.boolean(),
    entrypoint: z.string(),
    arguments: strings,
    privileged: z.boolean().optional(),
    user: z.string().optional(),
  }),
  OpenStdin: z.boolean(),
  OpenStderr: z.boolean(),
  OpenStdout: z.boolean(),
  CanRemove: z.boolean(),
  ContainerID: z.string(),
  DetachKeys: z.string(),
  Pid: int64,
})
export type ExecInspectResponse = z.infer<typeof ExecInspectResponse>
