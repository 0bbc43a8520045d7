/** `GET /version`: the engine, its runtime, and the API versions that it speaks. */
import type * as wire from '@dockerd-ts/api'
import type { ContainerContext } from '../containers/container-context.ts'

export async function systemVersion(context: ContainerContext): Promise<wire.SystemVersion> {
  const { settings, hostDescription } = context
  const { version, gitCommit, buildTime, apiVersion, minApiVersion, experimental } = settings
  const engine = {
    ApiVersion: apiVersion,
    Arch: hostDescription.architecture,
    BuildTime: buildTime,
    Experimental: String(experimental),
    GitCommit: gitCommit,
    // Clients print the field; what runs the engine is Node.
    GoVersion: `node ${process.version}`,
    KernelVersion: hostDescription.kernelVersion,
    MinAPIVersion: minApiVersion,
    Os: 'linux',
  }
  const runtime = await context.runtimes.resolve().catch(() => undefined)
  return {
    Platform: { Name: 'dockerd-ts' },
    Components: [
      { Name: 'Engine', Version: version, Details: engine },
      ...(runtime === undefined ? [] : [{ Name: runtime.name, Version: runtime.version, Details: {} }]),
      // Of another one that was named nothing is known.
      ...(settings.init.version === 'N/A'
        ? []
        : [{ Name: 'docker-init', Version: version, Details: { GitCommit: gitCommit } }]),
    ],
    Version: version,
    ApiVersion: apiVersion,
    MinAPIVersion: minApiVersion,
    GitCommit: gitCommit,
    GoVersion: engine.GoVersion,
    Os: 'linux',
    Arch: hostDescription.architecture,
    KernelVersion: hostDescription.kernelVersion,
    ...(experimental && { Experimental: true }),
    BuildTime: buildTime,
  }
}
