import t from 'tap'
import { defaultCapabilities } from './capabilities.ts'
import { builtinSeccompProfile, parseSeccompProfile, resolveSeccompProfile, type SeccompProfile } from './seccomp.ts'

const target = { capabilities: defaultCapabilities, architecture: 'amd64', kernelVersion: '6.1.0-13-amd64' }
const allows = (resolved: ReturnType<typeof resolveSeccompProfile>, name: string) =>
  resolved.syscalls.some((rule) => rule.action === 'SCMP_ACT_ALLOW' && !rule.args && rule.names.includes(name))

t.test('the built-in profile gives system calls with the capability that guards them', async (t) => {
  const plain = resolveSeccompProfile(builtinSeccompProfile, target)
  t.equal(plain.defaultErrnoRet, 1)
  t.ok(allows(plain, 'chroot'), 'CAP_SYS_CHROOT is a default capability')
  t.notOk(allows(plain, 'mount'))
  t.match(
    plain.syscalls.find((rule) => rule.names.includes('clone3')),
    { action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    'libc falls back to clone, whose flags can be looked at',
  )
  const admin = resolveSeccompProfile(builtinSeccompProfile, {
    ...target,
    capabilities: [...defaultCapabilities, 'CAP_SYS_ADMIN'],
  })
  t.ok(allows(admin, 'mount'))
  t.ok(allows(admin, 'clone3'))
})

t.test('architectures follow the machine', async (t) => {
  const of = (architecture: string) => resolveSeccompProfile(builtinSeccompProfile, { ...target, architecture })
  t.strictSame(of('amd64').architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'])
  t.strictSame(of('arm64').architectures, ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'])
  t.strictSame(of('riscv64').architectures, ['SCMP_ARCH_RISCV64'])
  t.ok(allows(of('amd64'), 'arch_prctl'))
  t.notOk(allows(of('arm64'), 'arch_prctl'))
})

t.test('rules for newer kernels are left out on older ones', async (t) => {
  const of = (kernelVersion: string) => resolveSeccompProfile(builtinSeccompProfile, { ...target, kernelVersion })
  t.notOk(allows(of('4.4.0'), 'ptrace'))
  t.ok(allows(of('4.8.0'), 'ptrace'))
  t.ok(allows(of('6.18.44-fc'), 'ptrace'), '18 is compared as a number')
})

t.test('excludes and includes are combined; the order of rules is kept', async (t) => {
  const profile: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      { names: ['a'], action: 'SCMP_ACT_ERRNO', excludes: { arches: ['amd64'] } },
      { names: ['b'], action: 'SCMP_ACT_ERRNO', excludes: { minKernel: '5.0' } },
      { names: ['c'], action: 'SCMP_ACT_ERRNO', includes: { caps: ['CAP_KILL', 'CAP_BPF'] } },
      { names: ['d'], action: 'SCMP_ACT_ERRNO', includes: { caps: ['CAP_KILL'], arches: ['amd64'] } },
      { name: 'e', action: 'SCMP_ACT_ERRNO', errnoRet: 5 },
    ],
  }
  t.strictSame(resolveSeccompProfile(profile, target).syscalls, [
    { names: ['d'], action: 'SCMP_ACT_ERRNO' },
    { names: ['e'], action: 'SCMP_ACT_ERRNO', errnoRet: 5 },
  ])
})

t.test('64-bit masks keep every digit on the way through', async (t) => {
  const text =
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["ioctl"],"action":"SCMP_ACT_ERRNO",' +
    '"args":[{"index":1,"value":18446744069414584321,"valueTwo":18446744073709551615,"op":"SCMP_CMP_MASKED_EQ"}]}]}'
  t.equal(JSON.stringify(resolveSeccompProfile(parseSeccompProfile(text), target)), text)
})

t.test('profiles that contradict themselves are refused', async (t) => {
  const archMap = [{ architecture: 'SCMP_ARCH_X86_64' }]
  t.throws(() => resolveSeccompProfile({ architectures: ['SCMP_ARCH_X86'], archMap }, target), {
    message: /use either 'architectures' or 'archMap'/,
  })
  t.throws(() => resolveSeccompProfile({ syscalls: [{ name: 'a', names: ['b'], action: 'x' }] }, target), {
    message: /use either 'name' or 'names'/,
  })
  t.throws(() => parseSeccompProfile('[]'), { message: /^Decoding seccomp profile failed/ })
})
