export { CommandError, type CommandOptions, type CommandResult, runCommand, tryCommand } from './command/run-command.ts'
export { OverlayRootFilesystems, type OverlayRootFilesystemsOptions } from './mounts/overlay-root-filesystems.ts'
export { LocalVolumes, type LocalVolumesOptions } from './volumes/local-volumes.ts'
