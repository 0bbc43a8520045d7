/** Go's types for what `inspect`, `info` and `version` print through templates. */
import { describe, type TypeTable } from './go-types.ts'

export const containerTypes: TypeTable = {
  Container: describe(
    'container.InspectResponse',
    'Base *Base embed',
    'Mounts []MountPoint',
    'Config *Config',
    'NetworkSettings *NetworkSettings',
    'ImageManifestDescriptor *Descriptor ImageManifestDescriptor,omitempty',
  ),
  Base: describe(
    'container.ContainerJSONBase',
    'ID string Id', 'Created string', 'Path string', 'Args []string', 'State *State', 'Image string', 'ResolvConfPath string', 'HostnamePath string',
    'HostsPath string', 'LogPath string', 'Name string', 'RestartCount int', 'Driver string', 'Platform string', 'MountLabel string', 'ProcessLabel string',
    'AppArmorProfile string', 'ExecIDs []string', 'HostConfig *HostConfig', 'GraphDriver GraphDriver', 'SizeRw *int SizeRw,omitempty', 'SizeRootFs *int SizeRootFs,omitempty',
  ),
  State: describe(
    'container.State',
    'Status string', 'Running bool', 'Paused bool', 'Restarting bool', 'OOMKilled bool', 'Dead bool', 'Pid int', 'ExitCode int', 'Error string',
    'StartedAt string', 'FinishedAt string', 'Health *Health Health,omitempty',
  ),
  Health: describe('container.Health', 'Status string', 'FailingStreak int', 'Log []*HealthResult'),
  HealthResult: describe('container.HealthcheckResult', 'Start time', 'End time', 'ExitCode int', 'Output string'),
  GraphDriver: describe('storage.DriverData', 'Data map[]string', 'Name string'),
  MountPoint: describe(
    'container.MountPoint',
    'Type string Type,omitempty', 'Name string Name,omitempty', 'Source string', 'Destination string', 'Driver string Driver,omitempty', 'Mode string', 'RW bool', 'Propagation string',
  ),
  Config: describe(
    'container.Config',
    'Hostname string', 'Domainname string', 'User string', 'AttachStdin bool', 'AttachStdout bool', 'AttachStderr bool', 'ExposedPorts map[port]empty ExposedPorts,omitempty', 'Tty bool',
    'OpenStdin bool', 'StdinOnce bool', 'Env []string', 'Cmd []string', 'Healthcheck *Healthcheck Healthcheck,omitempty', 'ArgsEscaped bool ArgsEscaped,omitempty', 'Image string',
    'Volumes map[]empty', 'WorkingDir string', 'Entrypoint []string', 'NetworkDisabled bool NetworkDisabled,omitempty', 'MacAddress string MacAddress,omitempty', 'OnBuild []string',
    'Labels map[]string', 'StopSignal string StopSignal,omitempty', 'StopTimeout *int StopTimeout,omitempty', 'Shell []string Shell,omitempty',
  ),
  Healthcheck: describe(
    'v1.HealthcheckConfig',
    'Test []string Test,omitempty', 'Interval int Interval,omitempty', 'Timeout int Timeout,omitempty', 'StartPeriod int StartPeriod,omitempty',
    'StartInterval int StartInterval,omitempty', 'Retries int Retries,omitempty',
  ),
  HostConfig: describe(
    'container.HostConfig',
    'Binds []string', 'ContainerIDFile string', 'LogConfig LogConfig', 'NetworkMode string', 'PortBindings map[port][]PortBinding', 'RestartPolicy RestartPolicy', 'AutoRemove bool',
    'VolumeDriver string', 'VolumesFrom []string', 'ConsoleSize []int', 'Annotations map[]string Annotations,omitempty', 'CapAdd []string', 'CapDrop []string', 'CgroupnsMode string',
    'DNS []string Dns', 'DNSOptions []string DnsOptions', 'DNSSearch []string DnsSearch', 'ExtraHosts []string', 'GroupAdd []string', 'IpcMode string', 'Cgroup string', 'Links []string',
    'OomScoreAdj int', 'PidMode string', 'Privileged bool', 'PublishAllPorts bool', 'ReadonlyRootfs bool', 'SecurityOpt []string', 'StorageOpt map[]string StorageOpt,omitempty',
    'Tmpfs map[]string Tmpfs,omitempty', 'UTSMode string', 'UsernsMode string', 'ShmSize int', 'Sysctls map[]string Sysctls,omitempty', 'Runtime string Runtime,omitempty', 'Isolation string',
    'Resources Resources embed', 'Mounts []Mount Mounts,omitempty', 'MaskedPaths []string', 'ReadonlyPaths []string', 'Init *bool Init,omitempty',
  ),
  LogConfig: describe('container.LogConfig', 'Type string', 'Config map[]string'),
  PortBinding: describe('nat.PortBinding', 'HostIP string HostIp', 'HostPort string'),
  RestartPolicy: describe('container.RestartPolicy', 'Name string', 'MaximumRetryCount int'),
  Resources: describe(
    'container.Resources',
    'CPUShares int CpuShares', 'Memory int', 'NanoCPUs int NanoCpus', 'CgroupParent string', 'BlkioWeight int', 'BlkioWeightDevice []*WeightDevice', 'BlkioDeviceReadBps []*ThrottleDevice',
    'BlkioDeviceWriteBps []*ThrottleDevice', 'BlkioDeviceReadIOps []*ThrottleDevice', 'BlkioDeviceWriteIOps []*ThrottleDevice', 'CPUPeriod int CpuPeriod', 'CPUQuota int CpuQuota',
    'CPURealtimePeriod int CpuRealtimePeriod', 'CPURealtimeRuntime int CpuRealtimeRuntime', 'CpusetCpus string', 'CpusetMems string', 'Devices []DeviceMapping', 'DeviceCgroupRules []string',
    'DeviceRequests []DeviceRequest', 'KernelMemory int KernelMemory,omitempty', 'KernelMemoryTCP int KernelMemoryTCP,omitempty', 'MemoryReservation int', 'MemorySwap int', 'MemorySwappiness *int',
    'OomKillDisable *bool', 'PidsLimit *int', 'Ulimits []*Ulimit', 'CPUCount int CpuCount', 'CPUPercent int CpuPercent', 'IOMaximumIOps int', 'IOMaximumBandwidth int',
  ),
  WeightDevice: describe('blkiodev.WeightDevice', 'Path string', 'Weight int'),
  ThrottleDevice: describe('blkiodev.ThrottleDevice', 'Path string', 'Rate int'),
  DeviceMapping: describe('container.DeviceMapping', 'PathOnHost string', 'PathInContainer string', 'CgroupPermissions string'),
  DeviceRequest: describe('container.DeviceRequest', 'Driver string', 'Count int', 'DeviceIDs []string', 'Capabilities [][]string', 'Options map[]string'),
  Ulimit: describe('units.Ulimit', 'Name string', 'Hard int', 'Soft int'),
  Mount: describe(
    'mount.Mount',
    'Type string Type,omitempty', 'Source string Source,omitempty', 'Target string Target,omitempty', 'ReadOnly bool ReadOnly,omitempty', 'Consistency string Consistency,omitempty',
    'BindOptions *BindOptions BindOptions,omitempty', 'VolumeOptions *VolumeOptions VolumeOptions,omitempty', 'ImageOptions *ImageOptions ImageOptions,omitempty',
    'TmpfsOptions *TmpfsOptions TmpfsOptions,omitempty', 'ClusterOptions *ClusterOptions ClusterOptions,omitempty',
  ),
  BindOptions: describe(
    'mount.BindOptions',
    'Propagation string Propagation,omitempty', 'NonRecursive bool NonRecursive,omitempty', 'CreateMountpoint bool CreateMountpoint,omitempty',
    'ReadOnlyNonRecursive bool ReadOnlyNonRecursive,omitempty', 'ReadOnlyForceRecursive bool ReadOnlyForceRecursive,omitempty',
  ),
  VolumeOptions: describe('mount.VolumeOptions', 'NoCopy bool NoCopy,omitempty', 'Labels map[]string Labels,omitempty', 'Subpath string Subpath,omitempty', 'DriverConfig *Driver DriverConfig,omitempty'),
  Driver: describe('mount.Driver', 'Name string Name,omitempty', 'Options map[]string Options,omitempty'),
  ImageOptions: describe('mount.ImageOptions', 'Subpath string Subpath,omitempty'),
  TmpfsOptions: describe('mount.TmpfsOptions', 'SizeBytes int SizeBytes,omitempty', 'Mode int Mode,omitempty', 'Options [][]string Options,omitempty'),
  ClusterOptions: describe('mount.ClusterOptions'),
  NetworkSettings: describe('container.NetworkSettings', 'Base NetworkBase embed', 'Legacy LegacyNetwork embed', 'Networks map[]*Endpoint'),
  NetworkBase: describe(
    'container.NetworkSettingsBase',
    'Bridge string', 'SandboxID string', 'SandboxKey string', 'Ports map[port][]PortBinding', 'HairpinMode bool', 'LinkLocalIPv6Address string', 'LinkLocalIPv6PrefixLen int',
    'SecondaryIPAddresses []Address', 'SecondaryIPv6Addresses []Address',
  ),
  Address: describe('network.Address', 'Addr string', 'PrefixLen int'),
  LegacyNetwork: describe(
    'container.DefaultNetworkSettings',
    'EndpointID string', 'Gateway string', 'GlobalIPv6Address string', 'GlobalIPv6PrefixLen int', 'IPAddress string', 'IPPrefixLen int', 'IPv6Gateway string', 'MacAddress string',
  ),
  Endpoint: describe(
    'network.EndpointSettings',
    'IPAMConfig *EndpointIpam', 'Links []string', 'Aliases []string', 'MacAddress string', 'DriverOpts map[]string', 'GwPriority int', 'NetworkID string', 'EndpointID string', 'Gateway string',
    'IPAddress string', 'IPPrefixLen int', 'IPv6Gateway string', 'GlobalIPv6Address string', 'GlobalIPv6PrefixLen int', 'DNSNames []string',
  ),
  EndpointIpam: describe('network.EndpointIPAMConfig', 'IPv4Address string IPv4Address,omitempty', 'IPv6Address string IPv6Address,omitempty', 'LinkLocalIPs []string LinkLocalIPs,omitempty'),
  Descriptor: descriptor(),
  Platform: platform(),
}

function descriptor() {
  return describe(
    'v1.Descriptor',
    'MediaType string mediaType', 'Digest string digest', 'Size int size', 'URLs []string urls,omitempty', 'Annotations map[]string annotations,omitempty',
    'Platform *Platform platform,omitempty', 'ArtifactType string artifactType,omitempty',
  )
}

function platform() {
  return describe(
    'v1.Platform',
    'Architecture string architecture', 'OS string os', 'OSVersion string os.version,omitempty', 'OSFeatures []string os.features,omitempty', 'Variant string variant,omitempty',
  )
}

export const imageTypes: TypeTable = {
  Image: describe(
    'image.InspectResponse',
    'ID string Id', 'RepoTags []string', 'RepoDigests []string', 'Parent string', 'Comment string', 'Created string Created,omitempty', 'Container string Container,omitempty',
    'ContainerConfig *ContainerConfig ContainerConfig,omitempty', 'DockerVersion string', 'Author string', 'Config *ImageConfig', 'Architecture string', 'Variant string Variant,omitempty',
    'Os string', 'OsVersion string OsVersion,omitempty', 'Size int', 'VirtualSize int VirtualSize,omitempty', 'GraphDriver GraphDriver', 'RootFS RootFS', 'Metadata Metadata',
    'Descriptor *Descriptor Descriptor,omitempty', 'Manifests []any Manifests,omitempty',
  ),
  ContainerConfig: containerTypes.Config as NonNullable<(typeof containerTypes)[string]>,
  ImageConfig: describe(
    'v1.DockerOCIImageConfig',
    'User string User,omitempty', 'ExposedPorts map[]empty ExposedPorts,omitempty', 'Env []string Env,omitempty', 'Entrypoint []string Entrypoint,omitempty', 'Cmd []string Cmd,omitempty',
    'Volumes map[]empty Volumes,omitempty', 'WorkingDir string WorkingDir,omitempty', 'Labels map[]string Labels,omitempty', 'StopSignal string StopSignal,omitempty',
    'ArgsEscaped bool ArgsEscaped,omitempty', 'Healthcheck *Healthcheck Healthcheck,omitempty', 'OnBuild []string OnBuild,omitempty', 'Shell []string Shell,omitempty',
  ),
  Healthcheck: containerTypes.Healthcheck as NonNullable<(typeof containerTypes)[string]>,
  GraphDriver: describe('storage.DriverData', 'Data map[]string', 'Name string'),
  RootFS: describe('image.RootFS', 'Type string Type,omitempty', 'Layers []string Layers,omitempty'),
  Metadata: describe('image.Metadata', 'LastTagTime time LastTagTime,omitempty'),
  Descriptor: descriptor(),
  Platform: platform(),
}

export const networkTypes: TypeTable = {
  Network: describe(
    'network.Inspect',
    'Name string', 'ID string Id', 'Created time', 'Scope string', 'Driver string', 'EnableIPv4 bool', 'EnableIPv6 bool', 'IPAM Ipam', 'Internal bool', 'Attachable bool', 'Ingress bool',
    'ConfigFrom ConfigReference', 'ConfigOnly bool', 'Containers map[]EndpointResource', 'Options map[]string', 'Labels map[]string', 'Peers []any Peers,omitempty', 'Services map[]any Services,omitempty',
  ),
  Ipam: describe('network.IPAM', 'Driver string', 'Options map[]string', 'Config []IpamConfig'),
  IpamConfig: describe(
    'network.IPAMConfig',
    'Subnet string Subnet,omitempty', 'IPRange string IPRange,omitempty', 'Gateway string Gateway,omitempty', 'AuxAddress map[]string AuxiliaryAddresses,omitempty',
  ),
  ConfigReference: describe('network.ConfigReference', 'Network string'),
  EndpointResource: describe('network.EndpointResource', 'Name string', 'EndpointID string', 'MacAddress string', 'IPv4Address string', 'IPv6Address string'),
}

export const volumeTypes: TypeTable = {
  Volume: describe(
    'volume.Volume',
    'ClusterVolume *any ClusterVolume,omitempty', 'CreatedAt string CreatedAt,omitempty', 'Driver string', 'Labels map[]string', 'Mountpoint string', 'Name string', 'Options map[]string',
    'Scope string', 'Status map[]any Status,omitempty', 'UsageData *UsageData UsageData,omitempty',
  ),
  UsageData: describe('volume.UsageData', 'RefCount int', 'Size int'),
}
