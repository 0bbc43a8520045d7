/** What a pull is asked for. */
import type { ImageReference, Platform, RegistryAuth } from '@dockerd-ts/core'
import type { Report } from '../progress/progress-stream.ts'

export interface PullRequest {
  reference: ImageReference
  platform: Platform | undefined
  auth: RegistryAuth | undefined
  report: Report
  signal: AbortSignal
}
