/** What the other packages use of the OCI specification builder. */
export { buildExecProcess, type ExecProcessInput } from './build-exec-process.ts'
export {
  boundingCapabilities,
  buildOciSpec,
  commandOf,
  containerSeccomp,
  effectiveMaskedPaths,
  effectiveReadonlyPaths,
  ociVersion,
  type SpecInput,
  usesInit,
} from './build-spec.ts'
export { capabilitiesOfMask, defaultCapabilities, kernelCapabilities } from './capabilities.ts'
export {
  checkContainerConfig,
  checkHostConfig,
  checkRestartPolicy,
  type HostConfigCheck,
} from './check-host-config.ts'
export { checkResources, type ResourceCheck } from './check-resources.ts'
export { containerEnvironment, defaultPath, overrideEnvironment } from './environment.ts'
export type { CgroupFacts, HostFacts } from './host-facts.ts'
export { parseIntegerList } from './integer-list.ts'
export type * from './oci-types.ts'
export { type ResolvedUser, resolveUser, type UserFiles } from './resolve-user.ts'
export { builtinSeccompProfile, parseSeccompProfile, resolveSeccompProfile, type SeccompProfile } from './seccomp.ts'
export { parseSecurityOptions, type SecurityOptions } from './security-options.ts'
export { cdiDeviceNames, type SpecEdits, withSpecEdits } from './spec-edits.ts'
export { defaultShmSizeBytes, mergeTmpfsOptions, type PlannedMount } from './spec-mounts.ts'
export { type HostDevices, noDevices, parseDeviceCgroupRule } from './spec-resources.ts'
