/** Go's types for `info` through templates. */
import { describe, type TypeTable } from './go-types.ts'

export const infoTypes: TypeTable = {
  Info: describe(
    'system.dockerInfo',
    'Daemon *Daemon embed', 'ServerErrors []string ServerErrors,omitempty', 'UserName string -,omitempty', 'ClientInfo *ClientInfo', 'ClientErrors []string ClientErrors,omitempty',
  ),
  ClientInfo: describe('system.clientInfo', 'Debug bool', 'Version string', 'GitCommit string', 'GoVersion string', 'Os string', 'Arch string', 'Context string', 'Plugins []any', 'Warnings []string'),
  Daemon: describe(
    'system.Info',
    'ID string', 'Containers int', 'ContainersRunning int', 'ContainersPaused int', 'ContainersStopped int', 'Images int', 'Driver string', 'DriverStatus [][]string',
    'SystemStatus [][]string SystemStatus,omitempty', 'Plugins Plugins', 'MemoryLimit bool', 'SwapLimit bool', 'KernelMemory bool KernelMemory,omitempty',
    'KernelMemoryTCP bool KernelMemoryTCP,omitempty', 'CPUCfsPeriod bool CpuCfsPeriod', 'CPUCfsQuota bool CpuCfsQuota', 'CPUShares bool', 'CPUSet bool', 'PidsLimit bool', 'IPv4Forwarding bool',
    'Debug bool', 'NFd int', 'OomKillDisable bool', 'NGoroutines int', 'SystemTime string', 'LoggingDriver string', 'CgroupDriver string', 'CgroupVersion string CgroupVersion,omitempty',
    'NEventsListener int', 'KernelVersion string', 'OperatingSystem string', 'OSVersion string', 'OSType string', 'Architecture string', 'IndexServerAddress string',
    'RegistryConfig *RegistryConfig', 'NCPU int', 'MemTotal int', 'GenericResources []any', 'DockerRootDir string', 'HTTPProxy string HttpProxy', 'HTTPSProxy string HttpsProxy', 'NoProxy string',
    'Name string', 'Labels []string', 'ExperimentalBuild bool', 'ServerVersion string', 'Runtimes map[]Runtime', 'DefaultRuntime string', 'Swarm Swarm', 'LiveRestoreEnabled bool',
    'Isolation string', 'InitBinary string', 'ContainerdCommit Commit', 'RuncCommit Commit', 'InitCommit Commit', 'SecurityOptions []string', 'ProductLicense string ProductLicense,omitempty',
    'DefaultAddressPools []AddressPool DefaultAddressPools,omitempty', 'FirewallBackend *Firewall FirewallBackend,omitempty', 'CDISpecDirs []string', 'Containerd *Containerd Containerd,omitempty', 'Warnings []string',
  ),
  Plugins: describe('system.PluginsInfo', 'Volume []string', 'Network []string', 'Authorization []string', 'Log []string'),
  RegistryConfig: describe(
    'registry.ServiceConfig',
    'InsecureRegistryCIDRs []string', 'IndexConfigs map[]*IndexInfo', 'Mirrors []string', 'AllowNondistributableArtifactsCIDRs []string AllowNondistributableArtifactsCIDRs,omitempty',
    'AllowNondistributableArtifactsHostnames []string AllowNondistributableArtifactsHostnames,omitempty',
  ),
  IndexInfo: describe('registry.IndexInfo', 'Name string', 'Mirrors []string', 'Secure bool', 'Official bool'),
  Runtime: describe('system.RuntimeWithStatus', 'Path string path,omitempty', 'Args []string runtimeArgs,omitempty', 'Type string runtimeType,omitempty', 'Options map[]any options,omitempty', 'Status map[]string status,omitempty'),
  Swarm: describe(
    'swarm.Info',
    'NodeID string', 'NodeAddr string', 'LocalNodeState string', 'ControlAvailable bool', 'Error string', 'RemoteManagers []any', 'Nodes int Nodes,omitempty', 'Managers int Managers,omitempty',
    'Cluster *any Cluster,omitempty', 'Warnings []string Warnings,omitempty',
  ),
  Commit: describe('system.Commit', 'ID string', 'Expected string Expected,omitempty'),
  AddressPool: describe('system.NetworkAddressPool', 'Base string', 'Size int'),
  Firewall: describe('system.FirewallInfo', 'Driver string', 'Info [][]string Info,omitempty'),
  Containerd: describe('system.ContainerdInfo', 'Address string Address,omitempty', 'Namespaces ContainerdNamespaces'),
  ContainerdNamespaces: describe('system.ContainerdNamespaces', 'Containers string', 'Plugins string'),
}
