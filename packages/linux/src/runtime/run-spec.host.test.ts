/** Built specs, run by the real runtimes and looked at from inside; the expectations are what dockerd 26 shows. */

import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PlannedMount } from '@dockerd-ts/core'
import t from 'tap'
import { busybox, type RunRequest, SpecRunner } from '../../test/spec-runner.ts'
import { findProgram } from './runtime-program.ts'

const root = process.getuid?.() === 0

const systemd = existsSync('/run/systemd/system')

for (const [runtimeName, driver] of [
  ['crun', 'cgroupfs'],
  ['runc', 'cgroupfs'],
  ['crun', 'systemd'],
  ['runc', 'systemd'],
] as const) {
  const skip = !root
    ? 'needs root'
    : busybox === undefined
      ? 'needs a static busybox'
      : findProgram(runtimeName) === undefined
        ? `${runtimeName} is not installed`
        : driver === 'systemd' && !systemd
          ? 'systemd is not running'
          : false
  t.test(`${runtimeName} runs what the builder writes, cgroups by ${driver}`, { skip }, async (t) => {
    const runner = new SpecRunner({ runtimeName, driver })
    t.teardown(() => runner.dispose())

    const inside = async (t: Tap, request: RunRequest) => {
      const result = await runner.run(request)
      t.equal(result.exitCode, 0, result.stderr)
      return result.stdout
    }

    await t.test('by default: Docker’s capabilities, one filter, no new privileges possible', async (t) => {
      const status = await inside(t, { script: 'grep -E "^(Cap|Seccomp|NoNewPrivs)" /proc/self/status' })
      t.match(status, /CapPrm:\s*00000000a80425fb/)
      t.match(status, /CapEff:\s*00000000a80425fb/)
      t.match(status, /CapBnd:\s*00000000a80425fb/)
      t.match(status, /CapInh:\s*0000000000000000/)
      t.match(status, /CapAmb:\s*0000000000000000/)
      t.match(status, /NoNewPrivs:\s*0/)
      t.match(status, /Seccomp:\s*2/)
      t.match(status, /Seccomp_filters:\s*1/)
    })

    await t.test('a user other than root has the bounding set and nothing else', async (t) => {
      const status = await inside(t, { script: 'id; grep ^Cap /proc/self/status', config: { User: 'alice' } })
      t.match(status, 'uid=1000(alice) gid=1000(alice)')
      t.match(status, 'groups=10(wheel),100(users),1000(alice)')
      t.match(status, /CapEff:\s*0000000000000000/)
      t.match(status, /CapBnd:\s*00000000a80425fb/)
    })

    await t.test('capabilities added, dropped, all; no-new-privileges', async (t) => {
      const script = 'grep -E "^(CapBnd|NoNew)" /proc/self/status'
      t.match(await inside(t, { script, hostConfig: { CapDrop: ['ALL'], CapAdd: ['chown'] } }), /0000000000000001\n/)
      const options = { SecurityOpt: ['no-new-privileges'], CapAdd: ['NET_ADMIN'] }
      t.match(await inside(t, { script, hostConfig: options }), /a80435fb\nNoNewPrivs:\s*1/)
    })

    await t.test('the seccomp profile refuses what it refuses in Docker, unless unconfined', async (t) => {
      const script = 'unshare -n true && echo allowed || echo refused'
      t.match(await inside(t, { script }), 'refused')
      const hostConfig = { SecurityOpt: ['seccomp=unconfined'], CapAdd: ['SYS_ADMIN'] }
      t.match(await inside(t, { script, hostConfig }), 'allowed')
    })

    await t.test('mounts: their options, what is masked, what is read-only', async (t) => {
      const mounts = await inside(t, { script: 'cat /proc/self/mountinfo' })
      const at = (path: string) => mounts.split('\n').find((line) => line.split(' ')[4] === path) ?? ''
      t.match(at('/proc'), /rw,nosuid,nodev,noexec,relatime - proc/)
      t.match(at('/dev'), /rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755/)
      t.match(at('/dev/pts'), /nosuid,noexec,relatime - devpts devpts rw,gid=5,mode=620,ptmxmode=666/)
      t.match(at('/sys'), /ro,nosuid,nodev,noexec/)
      t.match(at('/dev/mqueue'), /nosuid,nodev,noexec.* - mqueue/)
      t.match(at('/dev/shm'), /nosuid,nodev,noexec.* - tmpfs shm rw,size=65536k/)
      for (const path of ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys']) t.match(at(path), / ro,/)
      t.match(await inside(t, { script: 'cat /proc/keys; ls /sys/firmware; cat /proc/timer_list' }), /^$/)
      const written = await inside(t, { script: 'echo 1 > /proc/sys/kernel/printk && echo written || true' })
      t.notMatch(written, 'written')
    })

    await t.test('devices: Docker’s nodes, and no others can be opened', async (t) => {
      const script =
        'for d in null zero full random urandom tty; do test -c /dev/$d || echo missing $d; done; ls -l /dev/ptmx /dev/fd; ' +
        'busybox mknod /tmp/vda b 254 0; (cat /tmp/vda | busybox head -c 1) 2>&1; busybox rm /tmp/vda'
      const output = await inside(t, { script })
      t.notMatch(output, 'missing')
      t.match(output, /ptmx -> pts\/ptmx/)
      t.match(output, /Operation not permitted/)
    })

    await t.test('devices asked for, with a rule each', async (t) => {
      const hostConfig = {
        Devices: [{ PathOnHost: '/dev/zero', PathInContainer: '/dev/mine', CgroupPermissions: 'r' }],
        DeviceCgroupRules: ['c 13:* rwm'],
      }
      const script =
        'busybox head -c 3 /dev/mine | busybox od -An -tx1; cat /sys/fs/cgroup/devices/devices.list 2>/dev/null || true'
      const output = await inside(t, { script, hostConfig })
      t.match(output, /00 00 00/)
      if (runner.cgroups.version === '1') t.match(output, /c 13:\* rwm/)
    })

    await t.test('privileged: all capabilities, no filter, writable /sys, the host’s devices', async (t) => {
      const script =
        'grep -E "^(CapBnd|Seccomp:)" /proc/self/status; grep " /sys " /proc/self/mountinfo; test -c /dev/kmsg && echo kmsg; ' +
        'grep -c " /proc/sys " /proc/self/mountinfo || true'
      const output = await inside(t, { script, hostConfig: { Privileged: true } })
      t.match(output, new RegExp(`CapBnd:\\s*${ownBoundingSet()}`))
      t.match(output, /Seccomp:\s*0/)
      t.match(output, / \/sys rw,/)
      t.match(output, 'kmsg')
      t.match(output, /\n0\n$/, 'nothing of /proc is read-only')
    })

    await t.test('environment, directory, hostname, domain name', async (t) => {
      const config = { Env: ['A=1', 'PATH=/bin'], WorkingDir: '/made/for/it', Domainname: 'example.org' }
      const output = await inside(t, { script: 'env; pwd; hostname; cat /proc/sys/kernel/domainname', config })
      t.match(output, /^PATH=\/bin$/m)
      t.match(output, /^HOSTNAME=box$/m)
      t.match(output, /^A=1$/m)
      t.match(output, /^HOME=\/root$/m, 'the runtime adds it from passwd')
      t.match(output, /^\/made\/for\/it\nbox\nexample.org$/m)
    })

    await t.test('limits arrive in the cgroups', async (t) => {
      const id = runner.newId()
      const hostConfig = {
        Memory: 64 * 2 ** 20,
        MemoryReservation: 32 * 2 ** 20,
        NanoCpus: 5e8,
        CpuShares: 512,
        PidsLimit: 50,
        CpusetCpus: '0',
      }
      await runner.start(id, await runner.spec(id, { script: 'sleep 1000', hostConfig }))
      const statistics = await runner.cgroups.statistics(id)
      t.equal(statistics.memory.limitBytes, 64 * 2 ** 20)
      t.equal(statistics.pids.limit, 50)
      t.equal((await runner.cgroups.processIds(id)).length, 1)
      t.strictSame(shownLimits(runner, id), expectedLimits[runner.cgroups.version])
      await runner.cgroups.update(id, { Memory: 32 * 2 ** 20, MemorySwap: 32 * 2 ** 20, PidsLimit: 20, NanoCpus: 1e9 })
      const updated = await runner.cgroups.statistics(id)
      t.equal(updated.memory.limitBytes, 32 * 2 ** 20, 'changed while it runs')
      t.equal(updated.pids.limit, 20)
      await t.resolves(runner.cgroups.freeze(id))
      await t.resolves(runner.cgroups.thaw(id))
      await (await runner.runtime()).deleteForce(id)
      await t.resolves((await runner.runtime()).deleteForce(id), 'deleting what is gone is done')
      await runner.cgroups.remove(id)
    })

    await t.test('ulimits, sysctls, oom score, shm size, tmpfs', async (t) => {
      const hostConfig = {
        Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
        Sysctls: { 'kernel.shmmax': '123456' },
        OomScoreAdj: 500,
        ShmSize: 2 ** 20,
        Tmpfs: { '/scratch': 'size=64k,mode=1770' },
      }
      const script =
        'ulimit -Sn; ulimit -Hn; cat /proc/sys/kernel/shmmax /proc/self/oom_score_adj; grep -E "/(dev/shm|scratch) " /proc/self/mountinfo'
      const output = await inside(t, { script, hostConfig })
      t.match(output, /^100\n200\n123456\n500\n/)
      t.match(output, /\/dev\/shm .* shm rw,size=1024k/)
      t.match(output, /\/scratch rw,nosuid,nodev,noexec.* tmpfs rw,size=64k,mode=1770/)
    })

    await t.test('what the daemon may not raise does not keep a container from starting', async (t) => {
      const hostConfig = { OomScoreAdj: -998, Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 2 ** 20 }] }
      t.match(await inside(t, { script: 'ulimit -Sn', hostConfig }), /^1024\n/)
    })

    await t.test('a read-only root, with binds over it', async (t) => {
      const source = mkdtempSync(join(tmpdir(), 'dockerd-ts-bind-'))
      t.teardown(() => import('node:fs').then(({ rmSync }) => rmSync(source, { recursive: true })))
      writeFileSync(join(source, 'file'), 'from the host\n')
      const mounts: PlannedMount[] = [
        { kind: 'bind', source, destination: '/data/ro', writable: false },
        { kind: 'bind', source, destination: '/data', writable: true },
      ]
      // Destinations are made before the root is read-only.
      const script =
        'cat /data/file; touch /data/new && echo data; touch /data/ro/x 2>/dev/null || echo ro; ' +
        'touch /x 2>/dev/null || echo root; touch /dev/shm/x && echo shm'
      t.equal(
        await inside(t, { script, hostConfig: { ReadonlyRootfs: true }, mounts }),
        'from the host\ndata\nro\nroot\nshm\n',
      )
    })

    await t.test(
      'what is mounted below the source of a bind comes along, read-only or not, or stays away',
      async (t) => {
        const source = mkdtempSync(join(tmpdir(), 'below-'))
        const below = join(source, 'below')
        mkdirSync(below)
        execFileSync('mount', ['-t', 'tmpfs', 'below', below])
        t.teardown(() => {
          execFileSync('umount', [below])
          rmSync(source, { recursive: true })
        })
        const bind: PlannedMount = { kind: 'bind', source, destination: '/b', writable: true }
        const seen = async (more: Partial<PlannedMount>) => {
          const script =
            'for d in /b /b/below; do touch $d/f 2>/dev/null && echo $d; done; grep -c " /b/below " /proc/self/mountinfo'
          const { stdout } = await runner.run({ script: `${script} || true`, mounts: [{ ...bind, ...more }] })
          return stdout.trim().split('\n')
        }
        t.strictSame(await seen({}), ['/b', '/b/below', '1'])
        t.strictSame(await seen({ nonRecursive: true }), ['/b', '/b/below', '0'], 'the directory under the mount')
        t.strictSame(await seen({ nonRecursive: true, writable: false }), ['0'])
        t.strictSame(await seen({ writable: false, readOnlyNonRecursive: true }), ['/b/below', '1'])
        t.strictSame(await seen({ writable: false }), ['1'], 'read-only with all below it')
        t.strictSame(await seen({ writable: false, readOnlyForceRecursive: true }), ['1'])
      },
    )

    await t.test('joins the network namespace that was made for it, with Docker’s sysctls', async (t) => {
      const holder = spawn('unshare', ['--net', 'sleep', '1000'], { stdio: 'ignore' })
      t.teardown(() => holder.kill('SIGKILL'))
      const path = `/proc/${holder.pid}/ns/net`
      const { readlinkSync } = await import('node:fs')
      // unshare(1) enters the namespace some moments after it was started.
      while (readlinkSync(path) === readlinkSync('/proc/self/ns/net')) await new Promise(setImmediate)
      const script =
        'busybox readlink /proc/self/ns/net; cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range'
      const output = await inside(t, { script, hostConfig: { NetworkMode: 'none' }, networkNamespace: path })
      t.equal(output.split('\n')[0], readlinkSync(path))
      t.match(output, /\n0\n0\s+2147483647\n/)
    })

    await t.test('namespaces: own ones by default, the host’s where asked', async (t) => {
      const script = 'for n in pid ipc uts mnt cgroup net; do busybox readlink /proc/self/ns/$n; done'
      const { readlinkSync } = await import('node:fs')
      const own = (name: string) => readlinkSync(`/proc/self/ns/${name}`)
      const separate = await inside(t, { script, hostConfig: { CgroupnsMode: 'private' } })
      for (const name of ['pid', 'ipc', 'uts', 'mnt', 'cgroup']) t.notMatch(separate, own(name), name)
      const hostConfig = { PidMode: 'host', IpcMode: 'host', UTSMode: 'host', CgroupnsMode: 'host' }
      const shared = await inside(t, { script, hostConfig, config: { Hostname: '' } })
      for (const name of ['pid', 'ipc', 'uts', 'net', 'cgroup']) t.match(shared, own(name), name)
    })

    await t.test('--init is the first process', async (t) => {
      // busybox stands for docker-init: it is a static program that runs what follows `--`.
      const wrapper = join(runner.directory, 'init')
      writeFileSync(wrapper, '#!/bin/sh\necho init $$\nshift\nexec "$@"\n', { mode: 0o755 })
      const output = await inside(t, { script: 'echo command', hostConfig: { Init: true }, initPath: wrapper })
      t.equal(output, 'init 1\ncommand\n')
    })
  })
}

/** What the kernel shows of the limits in the test above. */
const expectedLimits = {
  '1': {
    quota: '50000',
    shares: '512',
    cpus: '0',
    swap: String(128 * 2 ** 20),
    reservation: String(32 * 2 ** 20),
  },
  // v2: quota with its period, weight for shares, swap without the memory.
  '2': {
    quota: '50000 100000',
    shares: '20',
    cpus: '0',
    swap: String(64 * 2 ** 20),
    reservation: String(32 * 2 ** 20),
  },
}

const limitFiles = {
  '1': {
    quota: ['cpu', 'cpu.cfs_quota_us'],
    shares: ['cpu', 'cpu.shares'],
    cpus: ['cpuset', 'cpuset.cpus'],
    swap: ['memory', 'memory.memsw.limit_in_bytes'],
    reservation: ['memory', 'memory.soft_limit_in_bytes'],
  },
  '2': {
    quota: ['', 'cpu.max'],
    shares: ['', 'cpu.weight'],
    cpus: ['', 'cpuset.cpus'],
    swap: ['', 'memory.swap.max'],
    reservation: ['', 'memory.low'],
  },
} as const

function shownLimits({ cgroups }: SpecRunner, id: string): Record<string, string> {
  const directories = cgroups.directories(id)
  const directoryOf = (controller: string) => {
    if (cgroups.layout.version === '2') return directories.find((directory) => existsSync(directory)) ?? ''
    const mount = cgroups.layout.hierarchies.get(controller)
    return directories.find((directory) => directory.startsWith(`${mount}/`)) ?? ''
  }
  return Object.fromEntries(
    Object.entries(limitFiles[cgroups.version]).map(([name, [controller, file]]) => [
      name,
      readFileSync(join(directoryOf(controller), file), 'utf8').trim(),
    ]),
  )
}

type Tap = Pick<typeof t, 'equal'>

function ownBoundingSet(): string {
  return /^CapBnd:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
}
