import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { needsRoot } from '../monitor/testing/test-bundle.ts'
import { mountPoints, openHelperBench, run } from './testing/helper-bench.ts'

const suffix = process.pid.toString(36)
const bridge = `dtb${suffix}`

t.test('network namespaces', needsRoot, async (t) => {
  const { helper, directory } = await openHelperBench(t)
  run('ip', 'link', 'add', bridge, 'type', 'bridge')
  run('ip', 'link', 'set', bridge, 'up')
  t.teardown(() => run('ip', 'link', 'del', bridge))
  const space = path.join(directory, 'netns')
  const inside = (...command: string[]) => run('nsenter', `--net=${space}`, ...command)
  const links = (name: string) => JSON.parse(inside('ip', '-j', '-d', 'address', 'show', name))[0]
  const veth = {
    hostName: `dth${suffix}`,
    bridge,
    containerName: 'eth0',
    mac: '02:42:ac:1e:00:05',
    mtu: 1400,
    addresses: [
      { address: '172.30.99.5', prefixLength: 24 },
      { address: 'fd00:99::5', prefixLength: 64 },
    ],
    gateways: ['172.30.99.1', 'fd00:99::1'],
  }

  await t.test('are made with an interface, addresses, routes and settings, as often as asked', async (t) => {
    const sysctls = { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.conf.eth0.forwarding': '1' }
    for (let round = 0; round < 2; round++) await helper.createNetworkNamespace({ path: space, veth, sysctls })
    const eth0 = links('eth0')
    t.match(eth0, { operstate: 'UP', mtu: 1400, address: veth.mac, linkinfo: { info_kind: 'veth' } })
    const wanted = [
      { family: 'inet', local: '172.30.99.5', prefixlen: 24, broadcast: '172.30.99.255', scope: 'global' },
      { family: 'inet6', local: 'fd00:99::5', prefixlen: 64 },
    ]
    for (const address of wanted)
      t.match(
        eth0.addr_info.filter(({ local }: { local: string }) => local === address.local),
        [address],
      )
    t.notOk(
      eth0.addr_info.some(
        ({ tentative }: { tentative?: boolean; local: string }) => tentative && eth0.local === 'fd00:99::5',
      ),
    )
    t.match(links('lo'), { flags: ['LOOPBACK', 'UP', 'LOWER_UP'] })
    t.match(JSON.parse(inside('ip', '-j', 'route', 'show', 'default')), [{ gateway: '172.30.99.1', dev: 'eth0' }])
    t.match(JSON.parse(inside('ip', '-6', '-j', 'route', 'show', 'default')), [{ gateway: 'fd00:99::1', dev: 'eth0' }])
    t.equal(inside('cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start').trim(), '0')
    t.equal(inside('cat', '/proc/sys/net/ipv4/conf/eth0/forwarding').trim(), '1')
    const [host] = JSON.parse(run('ip', '-j', '-d', 'link', 'show', veth.hostName))
    t.match(host, { master: bridge, mtu: 1400, operstate: 'UP' })
    t.notSame(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'), '0\n', 'the host is as it was')
  })

  await t.test('take and give back further interfaces', async (t) => {
    const more = {
      ...veth,
      hostName: `dti${suffix}`,
      containerName: 'eth1',
      mac: '02:42:ac:1e:00:06',
      addresses: [{ address: '172.30.98.5', prefixLength: 24 }],
      gateways: [],
    }
    await helper.addInterface(space, more)
    await helper.addInterface(space, more)
    t.match(links('eth1'), { operstate: 'UP', address: more.mac })
    await helper.removeInterface(space, 'eth1')
    await helper.removeInterface(space, 'eth1')
    t.throws(() => links('eth1'))
    t.notOk(existsSync(`/sys/class/net/${more.hostName}`))
  })

  await t.test('are deleted with all that is in them', async (t) => {
    await helper.deleteNetworkNamespace(space)
    await helper.deleteNetworkNamespace(space)
    t.notOk(existsSync(space))
    t.notOk(mountPoints().includes(space))
    // The kernel takes the links some time later.
    while (existsSync(`/sys/class/net/${veth.hostName}`)) await new Promise((resolve) => setTimeout(resolve, 10))
    await helper.removeInterface(space, 'eth0')
  })

  await t.test('without an interface have only loopback', async (t) => {
    await helper.createNetworkNamespace({ path: space })
    t.same(
      JSON.parse(inside('ip', '-j', 'link')).map(({ ifname, flags }: { ifname: string; flags: string[] }) => [
        ifname,
        flags.includes('UP'),
      ]),
      [['lo', true]],
    )
    await helper.deleteNetworkNamespace(space)
  })

  await t.test('that cannot be made whole are an error, and the helper is back in the host’s', async (t) => {
    const noBridge = { ...veth, hostName: `dtj${suffix}`, bridge: 'dt-no-bridge' }
    await t.rejects(helper.createNetworkNamespace({ path: space, veth: noBridge }), {
      code: 'ENODEV',
      message: /bridge dt-no-bridge/,
    })
    await t.rejects(helper.createNetworkNamespace({ path: space, sysctls: { 'kernel.hostname': 'x' } }), {
      code: 'EINVAL',
    })
    await t.rejects(helper.createNetworkNamespace({ path: space, sysctls: { 'net.../../../tmp/x': 'x' } }), {
      code: 'EINVAL',
    })
    const badAddress = { ...veth, hostName: `dtk${suffix}`, addresses: [{ address: '1.2.3', prefixLength: 24 }] }
    await t.rejects(helper.createNetworkNamespace({ path: space, veth: badAddress }), { code: 'EINVAL' })
    await t.rejects(
      helper.createNetworkNamespace({ path: space, veth: { ...veth, hostName: 'far too long a name' } }),
      { code: 'EINVAL' },
    )
    const child = readFileSync(`/proc/${helper.pid}/net/dev`, 'utf8')
    t.ok(child.includes(bridge), 'the host’s interfaces are seen')
    await helper.deleteNetworkNamespace(space)
    await writeFile(space, 'a file')
    await helper.deleteNetworkNamespace(space)
    t.notOk(existsSync(space))
  })
})

t.test('nftables elements', needsRoot, async (t) => {
  const { helper, directory } = await openHelperBench(t)
  const table = `dts_test_${suffix}`
  const rules = path.join(directory, 'rules')
  await writeFile(
    rules,
    `table ip ${table} {
       map ports { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
       map plain { type inet_service : ipv4_addr; }
       set members { type ipv4_addr; }
     }`,
  )
  run('nft', '-f', rules)
  t.teardown(() => run('nft', 'delete', 'table', 'ip', table))
  const elements = (name: string): unknown[] => {
    const listed = JSON.parse(run('nft', '-j', 'list', 'table', 'ip', table)).nftables as Record<
      string,
      { name?: string; elem?: unknown[] }
    >[]
    return listed.flatMap((item) => Object.values(item)).find((item) => item.name === name)?.elem ?? []
  }
  const ip = (text: string) => Uint8Array.from(text.split('.').map(Number))
  const port = (number: number) => Uint8Array.of(number >> 8, number & 255)
  const mapping = (action: 'add' | 'delete', hostPort: number) => ({
    action,
    family: 'ip' as const,
    table,
    set: 'ports',
    key: [ip('0.0.0.0'), Uint8Array.of(6), port(hostPort)],
    value: [ip('172.30.99.5'), port(80)],
  })
  const member = (action: 'add' | 'delete', address: string) => ({
    action,
    family: 'ip' as const,
    table,
    set: 'members',
    key: [ip(address)],
  })

  await t.test('are added and deleted, again and again', async (t) => {
    const plain = {
      action: 'add' as const,
      family: 'ip' as const,
      table,
      set: 'plain',
      key: [port(443)],
      value: [ip('10.0.0.1')],
    }
    for (let round = 0; round < 2; round++)
      await helper.changeNftElements([mapping('add', 8080), mapping('add', 8081), member('add', '10.0.0.7'), plain])
    t.same(elements('ports'), [
      [{ concat: ['0.0.0.0', 'tcp', 8080] }, { concat: ['172.30.99.5', 80] }],
      [{ concat: ['0.0.0.0', 'tcp', 8081] }, { concat: ['172.30.99.5', 80] }],
    ])
    t.same(elements('members'), ['10.0.0.7'])
    t.same(elements('plain'), [[443, '10.0.0.1']])
    for (let round = 0; round < 2; round++)
      await helper.changeNftElements([mapping('delete', 8080), member('delete', '10.0.0.7'), member('add', '10.0.0.8')])
    t.equal(elements('ports').length, 1)
    t.same(elements('members'), ['10.0.0.8'])
    await helper.changeNftElements([])
  })

  await t.test('are changed all or not at all', async (t) => {
    const before = elements('ports')
    const broken = { ...member('add', '10.0.0.9'), set: 'nothing' }
    await t.rejects(helper.changeNftElements([mapping('add', 9000), broken]), {
      code: 'ENOENT',
      message: new RegExp(`add to ${table} nothing`),
    })
    t.same(elements('ports'), before)
    await t.rejects(helper.changeNftElements([{ ...member('add', '10.0.0.9'), key: [] }]), { code: 'EINVAL' })
    await helper.changeNftElements([{ ...member('delete', '10.0.0.9'), table: 'gone_long_ago' }])
  })

  await t.test('by the thousand', async (t) => {
    const many = Array.from({ length: 1000 }, (_, index) => mapping('add', 20_000 + index))
    await helper.changeNftElements(many)
    t.equal(elements('ports').length, 1001)
    await helper.changeNftElements(many.map((change) => ({ ...change, action: 'delete' as const })))
    t.equal(elements('ports').length, 1)
  })
})
