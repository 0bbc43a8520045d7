export { OverlayRootFilesystems, type OverlayRootFilesystemsOptions } from './mounts/overlay-root-filesystems.ts'
