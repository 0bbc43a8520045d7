/** The log drivers that send elsewhere. */
export { createLogTargets, type LogTargetsOptions } from './log-targets.ts'
