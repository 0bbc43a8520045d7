/** The parsers of single options: values and refusals. The whole create body is compared with docker's elsewhere. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { checkDevice, parseDevice } from './devices.ts'
import { readKeyValueFile } from './env.ts'
import { encodeFilters, filterFlag } from './filters.ts'
import { ipamConfig } from './ipam.ts'
import { mountFlag, splitVolumes } from './mounts.ts'
import { networkFlag } from './networks.ts'
import { addExposed, parsePublished } from './ports.ts'
import { familiarString, fullString, parseReference, withDefaultTag } from './reference.ts'
import { parseTimestamp } from './timestamps.ts'
import { checkAddHost, checkSysctl } from './validators.ts'

t.test('published ports: ranges, addresses, protocols', async (t) => {
  t.same(parsePublished(['80', '127.0.0.1:8080-8081:80-81/udp', '[::1]:9:9', '5000-5002:53']).bindings, {
    '80/tcp': [{ HostIp: '', HostPort: '' }],
    '80/udp': [{ HostIp: '127.0.0.1', HostPort: '8080' }],
    '81/udp': [{ HostIp: '127.0.0.1', HostPort: '8081' }],
    '9/tcp': [{ HostIp: '::1', HostPort: '9' }],
    '53/tcp': [{ HostIp: '', HostPort: '5000-5002' }],
  })
  t.throws(() => parsePublished(['a']), new Error('invalid containerPort: a'))
  t.throws(() => parsePublished(['1-2:1-3']), /invalid ranges specified/)
  t.throws(() => parsePublished(['1:2/foo']), new Error('invalid proto: foo'))
  t.throws(() => parsePublished(['x.y:1:2']), new Error('invalid IP address: x.y'))
  t.throws(() => parsePublished(['70000']), new Error('invalid containerPort: 70000'))
})

t.test('exposed ports join the published ones', async (t) => {
  const ports = parsePublished(['80'])
  addExposed(ports, '90-91/udp')
  t.same(Object.keys(ports.exposed), ['80/tcp', '90/udp', '91/udp'])
  t.throws(() => addExposed(ports, '1:2'), new Error('invalid port format for --expose: 1:2'))
})

t.test('volumes are binds or anonymous', async (t) => {
  t.same(splitVolumes(['/a:/b', './x:/y:ro', 'name:/z', '/anon']), {
    binds: ['/a:/b', `${resolve('./x')}:/y:ro`, 'name:/z'],
    anonymous: { '/anon': {} },
  })
  t.throws(() => splitVolumes([':/x']), new Error('invalid spec: :/x: empty section between colons'))
})

t.test('mounts of every type', async (t) => {
  const parse = (text: string) => mountFlag('').set([], text)[0]
  t.same(parse('type=bind,source=/a,target=/b,readonly,bind-propagation=rshared'), {
    Type: 'bind',
    Source: '/a',
    Target: '/b',
    ReadOnly: true,
    BindOptions: { Propagation: 'rshared' },
  })
  t.same(parse('dst=/v,src=v,volume-opt=o=x,volume-opt=type=nfs,volume-driver=d'), {
    Type: 'volume',
    Source: 'v',
    Target: '/v',
    VolumeOptions: { DriverConfig: { Name: 'd', Options: { o: 'x', type: 'nfs' } } },
  })
  t.same(parse('type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700'), {
    Type: 'tmpfs',
    Target: '/t',
    TmpfsOptions: { SizeBytes: 1048576, Mode: 0o700 },
  })
  t.throws(() => parse('type=bind'), new Error('target is required'))
  t.throws(() => parse('foo'), new Error("invalid field 'foo' must be a key=value pair"))
  t.throws(
    () => parse('type=bind,dst=/x,tmpfs-size=1'),
    new Error("cannot mix 'tmpfs-*' options with mount type 'bind'"),
  )
  t.throws(() => parse('dst=/x,bogus=1'), new Error("unexpected key 'bogus' in 'bogus=1'"))
})

t.test('networks by name and in the long form', async (t) => {
  const parse = (text: string) => networkFlag('').set([], text)[0]
  t.match(parse('mynet'), { target: 'mynet' })
  t.match(parse('name=n,alias=a,alias=b,ip=10.0.0.1,driver-opt=k=v,gw-priority=3'), {
    target: 'n',
    aliases: ['a', 'b'],
    ip: '10.0.0.1',
    driverOpts: { k: 'v' },
    gwPriority: 3,
  })
  t.throws(() => parse('name=n,foo=1'), new Error('invalid field key foo'))
})

t.test('devices with paths and modes', async (t) => {
  t.same(parseDevice('/dev/a:/dev/b:r'), { PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'r' })
  t.same(parseDevice('/dev/a:rw'), { PathOnHost: '/dev/a', PathInContainer: '/dev/a', CgroupPermissions: 'rw' })
  t.throws(() => checkDevice('a'), new Error('a is not an absolute path'))
  t.throws(() => checkDevice('/a:/b:x'), new Error('bad mode specified: x'))
})

t.test('files of variables', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'dts-env-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'env')
  writeFileSync(path, '\uFEFFA=1\n# comment\n\n  B = 2\nSET\nUNSET\nC=x=y z\r\n')
  t.throws(() => readKeyValueFile(path, () => undefined), new Error("variable 'B ' contains whitespaces"))
  writeFileSync(path, '\uFEFFA=1\n# comment\n\nSET\nUNSET\nC=x=y z\r\n')
  t.same(
    readKeyValueFile(path, (key) => (key === 'SET' ? 'yes' : undefined)),
    ['A=1', 'SET=yes', 'C=x=y z'],
  )
  t.throws(() => readKeyValueFile(join(directory, 'no'), () => undefined), /open .*: no such file or directory/)
})

t.test('references are completed and shortened', async (t) => {
  const cases: [string, string, string][] = [
    ['alpine', 'docker.io/library/alpine:latest', 'alpine:latest'],
    ['user/app:1', 'docker.io/user/app:1', 'user/app:1'],
    ['localhost/x', 'localhost/x:latest', 'localhost/x:latest'],
    ['reg:5000/a/b', 'reg:5000/a/b:latest', 'reg:5000/a/b:latest'],
    ['index.docker.io/x:2', 'docker.io/library/x:2', 'x:2'],
  ]
  for (const [text, full, familiar] of cases) {
    const reference = withDefaultTag(parseReference(text))
    t.equal(fullString(reference), full)
    t.equal(familiarString(reference), familiar)
  }
  t.throws(
    () => parseReference('BAD'),
    new Error('invalid reference format: repository name (library/BAD) must be lowercase'),
  )
  for (const wrong of ['a:b:c', '', ':x', '-a', 'a@sha256:1', 'a//b'])
    t.throws(() => parseReference(wrong), new Error('invalid reference format'))
  t.throws(() => parseReference('0'.repeat(64)), /64-byte hexadecimal/)
})

t.test('filters are collected and sent sorted', async (t) => {
  const flag = filterFlag('')
  const filters = ['status=running', 'label=b', 'label=a=1'].reduce((current, text) => flag.set(current, text), {})
  t.equal(encodeFilters(filters), '{"label":{"a=1":true,"b":true},"status":{"running":true}}')
  t.equal(encodeFilters({}), undefined)
  t.throws(() => flag.set({}, 'x'), new Error('bad format of filter (expected name=value)'))
})

t.test('moments: Unix times, dates, durations ago', async (t) => {
  const now = new Date('2026-01-01T00:10:00Z')
  t.equal(parseTimestamp('1700000000.5', now), '1700000000.5')
  t.equal(parseTimestamp('10m', now), '1767225600.000000000')
  t.equal(parseTimestamp('2026-01-01T00:00:00.123456789Z', now), '1767225600.123456789')
  t.equal(parseTimestamp('2026-01-01T01:00:00+01:00', now), '1767225600.000000000')
  t.throws(() => parseTimestamp('soon', now), /failed to parse value as time or duration: "soon"/)
})

t.test('subnets, ranges and gateways find each other', async (t) => {
  t.same(
    ipamConfig({
      subnet: ['10.0.0.0/24', 'fd00::/64'],
      gateway: ['fd00::1', '10.0.0.1'],
      'ip-range': ['10.0.0.128/25'],
      'aux-address': { a: '10.0.0.5' },
    }),
    [
      { Subnet: '10.0.0.0/24', IPRange: '10.0.0.128/25', Gateway: '10.0.0.1', AuxiliaryAddresses: { a: '10.0.0.5' } },
      { Subnet: 'fd00::/64', Gateway: 'fd00::1' },
    ],
  )
  const empty = { gateway: [], 'ip-range': [], 'aux-address': {} }
  t.throws(() => ipamConfig({ ...empty, subnet: ['10.0.0.0/24', '10.0.0.0/16'] }), /overlapping/)
  t.throws(
    () => ipamConfig({ ...empty, subnet: ['10.0.0.0/24'], gateway: ['10.1.0.1'] }),
    new Error('no matching subnet for gateway 10.1.0.1'),
  )
  t.throws(() => ipamConfig({ ...empty, subnet: ['x'] }), new Error('invalid CIDR address: x'))
})

t.test('hosts and kernel parameters', async (t) => {
  t.equal(checkAddHost('a:1.2.3.4'), 'a:1.2.3.4')
  t.equal(checkAddHost('a=[::1]'), 'a:::1')
  t.equal(checkAddHost('a:host-gateway'), 'a:host-gateway')
  t.throws(() => checkAddHost('a'), new Error('bad format for add-host: "a"'))
  t.equal(checkSysctl('net.x=1'), 'net.x=1')
  t.throws(() => checkSysctl('kernel.panic=1'), new Error("sysctl 'kernel.panic=1' is not allowed"))
})
