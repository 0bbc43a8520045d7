import t from 'tap'
import { parseCommandLine } from './command-line.ts'
import { declinedOptions } from './declined-options.ts'
import { options } from './options.ts'

/** Flags that `dockerd --help` of 26.1 and of 28 lists, and those of 28 that it hides. */
const dockerdFlags = `
add-runtime allow-direct-routing allow-nondistributable-artifacts api-cors-header authorization-plugin bip bip6 bridge
bridge-accept-fwmark cdi-spec-dir cgroup-parent containerd containerd-namespace containerd-plugins-namespace cpu-rt-period
cpu-rt-runtime cri-containerd data-root debug default-address-pool default-cgroupns-mode default-gateway
default-gateway-v6 default-ipc-mode default-network-opt default-runtime default-shm-size default-ulimit dns dns-opt
dns-search exec-opt exec-root experimental feature firewall-backend fixed-cidr fixed-cidr-v6 group host host-gateway-ip
http-proxy https-proxy icc init init-path insecure-registry ip ip-forward ip-masq ip6tables iptables ipv6 label
live-restore log-driver log-format log-level log-opt max-concurrent-downloads max-concurrent-uploads
max-download-attempts metrics-addr mtu network-control-plane-mtu no-new-privileges no-proxy node-generic-resource
oom-score-adjust pidfile raw-logs registry-mirror rootless seccomp-profile selinux-enabled shutdown-timeout
storage-driver storage-opt swarm-default-advertise-addr tls tlscacert tlscert tlskey tlsverify userland-proxy
userland-proxy-path userns-remap`
  .trim()
  .split(/\s+/)

t.test('every flag of dockerd is served or declined, and none is both', async (t) => {
  const served = options.map(({ flag }) => flag)
  const declined = declinedOptions.flatMap(({ flag }) => flag ?? [])
  t.same(
    dockerdFlags.filter((flag) => !served.includes(flag) && !declined.includes(flag)),
    [],
  )
  t.same(
    declined.filter((flag) => served.includes(flag)),
    [],
  )
})

t.test('a declined flag is refused with a reason, or taken with a warning', async (t) => {
  for (const { flag, kind, effect, reason } of declinedOptions) {
    if (flag === undefined) continue
    const harmful = kind === 'boolean' && ['iptables', 'ip6tables', 'userland-proxy'].includes(flag)
    const argument = kind !== 'boolean' ? `--${flag}=x` : `--${flag}=${!harmful || flag === 'userland-proxy'}`
    if (effect === 'refused') {
      t.throws(() => parseCommandLine([argument], '0'), { message: `--${flag} is not served: ${reason}` }, argument)
    } else if (flag !== 'raw-logs') {
      t.same(parseCommandLine([argument], '0').warnings, [`--${flag} has no effect: ${reason}`], argument)
    }
  }
})

t.test('values that ask for nothing are taken in silence', async (t) => {
  const harmless = ['--iptables', '--userland-proxy=false', '--userns-remap=', '--network-control-plane-mtu=1500']
  t.same(parseCommandLine(harmless, '0').warnings, [])
})
