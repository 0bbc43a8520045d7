/** The parts of the API's objects that this client reads. */

export interface Port {
  IP?: string
  PrivatePort: number
  PublicPort?: number
  Type: string
}

export interface ContainerSummary {
  Id: string
  Names: string[] | null
  Image: string
  ImageID: string
  Command: string
  Created: number
  Ports: Port[] | null
  SizeRw?: number
  SizeRootFs?: number
  Labels: Record<string, string> | null
  State: string
  Status: string
  NetworkSettings?: { Networks: Record<string, unknown> | null } | null
  Mounts?: { Name?: string; Source: string; Driver?: string }[] | null
}

export interface ContainerInspect {
  Id: string
  Name: string
  State: { Running: boolean; Paused: boolean; Restarting: boolean; ExitCode: number }
  Config: { Tty: boolean; OpenStdin: boolean; AttachStdin: boolean; AttachStdout: boolean; AttachStderr: boolean }
  HostConfig: { AutoRemove: boolean }
  NetworkSettings: { Ports: Record<string, { HostIp: string; HostPort: string }[] | null> | null }
}

export interface ImageManifestSummary {
  ID: string
  Available: boolean
  Kind: string
  Size: { Content: number; Total: number }
  ImageData?: { Platform: { os: string; architecture: string; variant?: string }; Containers: string[] | null }
}

export interface ImageSummary {
  Id: string
  RepoTags: string[] | null
  RepoDigests: string[] | null
  Created: number
  Size: number
  SharedSize: number
  VirtualSize?: number
  Labels: Record<string, string> | null
  Containers: number
  Manifests?: ImageManifestSummary[]
}

export interface Volume {
  Name: string
  Driver: string
  Mountpoint: string
  Labels: Record<string, string> | null
  Scope: string
  UsageData?: { Size: number; RefCount: number } | null
}

export interface NetworkSummary {
  Id: string
  Name: string
  Created: string
  Scope: string
  Driver: string
  EnableIPv4?: boolean
  EnableIPv6: boolean
  Internal: boolean
  Labels: Record<string, string> | null
}
