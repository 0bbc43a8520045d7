import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import t from 'tap'
import { readCgroupLayout } from '../cgroups/cgroup-layout.ts'
import { parseNetDev, parseProcStat, processSeccomp } from '../processes/proc-files.ts'
import { parseHardLimits } from './host-description.ts'
import { LinuxHost } from './linux-host.ts'

const host = new LinuxHost({ cgroups: { layout: readCgroupLayout(), driver: 'cgroupfs' } })

t.test('describes this host once', async (t) => {
  const described = await host.describe()
  t.equal(await host.describe(), described)
  t.equal(described.hostname, hostname())
  t.match(described.bootId, /^[0-9a-f-]{36}$/)
  t.ok(described.cpuCount >= 1)
  t.ok(described.memoryBytes > 0)
  t.match(described.architecture, /^(amd64|arm64|386|arm|riscv64|s390x|ppc64le|loong64)$/)
})

t.test('tells processes apart by their start', async (t) => {
  t.ok((host.processStartTimeTicks(process.pid) ?? 0) > 0)
  t.equal(host.processStartTimeTicks(2 ** 30), undefined)
  t.equal(processSeccomp(2 ** 30), undefined)
  t.type(processSeccomp(process.pid)?.mode, 'number')
})

t.test('counts processors with their idle time', async (t) => {
  const text = 'cpu  1 2 3 4 5 6 7 8 100 100\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nintr 5\n'
  t.strictSame(parseProcStat(text), { totalNs: 36 * 1e7, onlineCpus: 2 })
  t.ok(host.systemCpuNs().totalNs > 0)
})

t.test('counters of interfaces, without lo', async (t) => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     999       9    0    0    0     0          0         0      999       9    0    0    0     0       0          0
  eth0:1234567       2    3    4    0     0          0         0      5       6    7    8    0     0       0          0
`
  t.strictSame(parseNetDev(text), {
    eth0: {
      rxBytes: 1234567,
      rxPackets: 2,
      rxErrors: 3,
      rxDropped: 4,
      txBytes: 5,
      txPackets: 6,
      txErrors: 7,
      txDropped: 8,
    },
  })
  t.strictSame(host.networkCounters(2 ** 30), {}, 'a process that is gone has none')
})

t.test('hard limits by the names of the OCI specification', async (t) => {
  const text = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            1024                 20000                files     
Max nice priority         0                    0                    
`
  t.strictSame(parseHardLimits(text), { RLIMIT_NOFILE: 20000, RLIMIT_NICE: 0 })
})

t.test('ps: its output, nothing found, its complaint', async (t) => {
  t.match(await host.listProcesses(['-ef', `-q${process.pid}`]), new RegExp(`\\b${process.pid}\\b`))
  // As Docker has it; `top` then asks for all of them.
  await t.rejects(host.listProcesses(['-ef', '-q999999']), { kind: 'internal', message: 'ps: exit status 1' })
  await t.rejects(host.listProcesses(['-x', '--nope']), {
    kind: 'internal',
    message: 'ps: error: must set personality to get -x option',
  })
})

t.test('devices by path', async (t) => {
  const { devices } = await host.findDevices({
    Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/foo', CgroupPermissions: 'r' }],
  })
  t.match(devices, [{ path: '/dev/foo', type: 'c', major: 1, minor: 3, fileMode: 0o666, access: 'r' }])
  const missing = 'error gathering device information while adding custom device "/nope": no such file or directory'
  await t.rejects(host.findDevices({ Devices: [{ PathOnHost: '/nope' }] }), { kind: 'internal', message: missing })
  const noDevice = 'error gathering device information while adding custom device "/etc/passwd": not a device node'
  await t.rejects(host.findDevices({ Devices: [{ PathOnHost: '/etc/passwd' }] }), { message: noDevice })
  const directory = mkdtempSync('/tmp/devices-')
  t.teardown(() => rmSync(directory, { recursive: true }))
  symlinkSync('/dev/null', `${directory}/link`)
  symlinkSync('nowhere', `${directory}/dangling`)
  const found = await host.findDevices({ Devices: [{ PathOnHost: `${directory}/link`, PathInContainer: '/dev/foo' }] })
  t.match(found.devices, [{ path: '/dev/foo', type: 'c', major: 1, minor: 3, access: 'rwm' }])
  for (const path of [`${directory}/dangling`, directory, '/proc/1/fdinfo']) {
    const message = `error gathering device information while adding custom device "${path}": not a device node`
    await t.rejects(host.findDevices({ Devices: [{ PathOnHost: path }] }), { message })
  }
  await t.rejects(host.findDevices({ BlkioDeviceReadBps: [{ Path: '/nope', Rate: 1 }] }), {
    message: 'stat /nope: no such file or directory',
  })
})

t.test('privileged: every device of the host, none of what a container has of its own', async (t) => {
  const { devices } = await host.findDevices({ Privileged: true })
  const paths = devices.map((device) => device.path)
  t.ok(paths.includes('/dev/null'))
  t.notOk(paths.some((path) => /^\/dev\/(pts|shm|mqueue|console)(\/|$)/.test(path)))
})

t.test('what is at a path', async (t) => {
  t.equal(host.pathKind('/'), 'directory')
  t.equal(host.pathKind('/etc/passwd'), 'file')
  t.equal(host.pathKind('/dev/null'), 'other')
  t.equal(host.pathKind('/nope'), undefined)
})
