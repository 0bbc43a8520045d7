import { readFileSync, writeFileSync } from 'node:fs'
import { type EndpointRow, newId } from '@dockerd-ts/core'
import t from 'tap'
import { until } from '../syscalls/testing/until.ts'
import { fetchText, inside, type NetworkBench, networkBench, port, run, webContainer } from './testing/network-bench.ts'
import { inOwnNamespace } from './testing/own-namespace.ts'

const isRoot = process.getuid?.() === 0
interface Link {
  ifname: string
  master?: string
}

function links(): Link[] {
  return JSON.parse(run('ip', '-j', 'link')) as Link[]
}

const veths = () => links().filter(({ ifname }) => ifname.startsWith('veth'))
const table = () => run('nft', 'list', 'table', 'inet', 'dockerd-ts-docker0')
const namespaceMounts = (execRoot: string) =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${execRoot}/netns/`))

const seen = new Map<string, string>()

function start(bench: NetworkBench, ports: string[] = []) {
  return bench.networks.setUp({
    containerId: newId(),
    hostname: 'x',
    endpoints: [{ network: 'default' }],
    ports: ports.map(port),
  })
}

const ipam = (...config: { subnet: string; ipRange?: string }[]) => ({ driver: 'default', options: {}, config })

function draft(name: string) {
  return {
    name,
    driver: 'bridge',
    internal: false,
    attachable: false,
    ingress: false,
    enableIPv4: true,
    enableIPv6: false,
    ipam: ipam(),
    options: {} as Record<string, string>,
    labels: {},
  }
}

const connection = (web: { containerId: string; endpoints: EndpointRow[] }, network: string) => ({
  containerId: web.containerId,
  containerName: 'web',
  hostname: 'web',
  ports: [],
  endpoint: { network },
})

async function tests(): Promise<void> {
  await t.test('the firewall’s tables are there with the first network, and go with the last', async (t) => {
    const bench = await networkBench({ bridge: 'none' })
    t.teardown(() => bench.close())
    const tables = () => run('nft', 'list', 'tables')
    t.equal(tables(), '')
    const forwarding = () => readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim()
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '0')
    const one = await bench.networks.createNetwork(draft('one'))
    const two = await bench.networks.createNetwork(draft('two'))
    t.match(tables(), /table inet dockerd-ts-/)
    t.equal(forwarding(), '1', 'of the namespace of this test')
    const web = await webContainer(bench, { text: 'page', network: 'one', ports: ['8080:80'] })
    t.equal(fetchText('http://127.0.0.1:8080/'), 'page', 'published')
    await bench.networks.removeNetwork(two.id)
    t.equal(fetchText('http://127.0.0.1:8080/'), 'page', 'published still, with one network left')
    await bench.networks.tearDown(web.containerId)
    await bench.networks.removeNetwork(one.id)
    t.equal(tables(), '')
  })

  await t.test('a release takes off the host what a restart makes again', async (t) => {
    const bench = await networkBench()
    t.teardown(() => bench.close())
    await bench.networks.createNetwork(draft('extra'))
    const bridges = () =>
      links()
        .map(({ ifname }) => ifname)
        .filter((name) => /^(docker0|br-)/.test(name))
    t.equal(bridges().length, 2)
    await bench.networks.release()
    t.same([bridges(), run('nft', 'list', 'tables')], [[], ''])
    await (await bench.restart()).reconcile(new Set())
    t.equal(bridges().length, 2)
    t.match(table(), /chain forward/)
    await bench.networks.removeNetwork(bench.networks.resolve('extra').id)
  })

  await t.test('the namespace has what Docker gives: address, MAC, route, loopback', async (t) => {
    const bench = await networkBench()
    t.teardown(() => bench.close())
    const { namespacePath, endpoints } = await start(bench)
    const [row] = endpoints
    t.match(row, {
      ipv4: '172.17.0.2',
      ipv4PrefixLength: 16,
      gateway: '172.17.0.1',
      mac: '02:42:ac:11:00:02',
      containerInterface: 'eth0',
    })
    const addresses = run(...inside(namespacePath, 'ip', 'addr'))
    t.match(addresses, /lo: <LOOPBACK,UP/)
    t.match(addresses, /inet6 ::1\/128/)
    t.match(addresses, /inet 172\.17\.0\.2\/16 brd 172\.17\.255\.255 scope global eth0/)
    t.match(addresses, /link\/ether 02:42:ac:11:00:02/)
    t.notMatch(addresses.slice(addresses.indexOf('eth0')), /inet6/, 'no IPv6 on a network without it')
    t.match(run(...inside(namespacePath, 'ip', 'route')), /^default via 172\.17\.0\.1 dev eth0/m)
    const none = await bench.networks.setUp({
      containerId: newId(),
      hostname: 'n',
      endpoints: [],
      ports: [],
      sysctls: { 'net.ipv4.ip_forward': '0', 'net.core.somaxconn': '77' },
    })
    t.same(none.endpoints, [])
    t.equal(
      (JSON.parse(run(...inside(none.namespacePath, 'ip', '-j', 'link'))) as Link[]).map(({ ifname }) => ifname).join(),
      'lo',
    )
    t.equal(run(...inside(none.namespacePath, 'cat', '/proc/sys/net/core/somaxconn')).trim(), '77')
    const sysctl = { 'net.ipv4.conf.eth0.log_martians': '1' }
    const named = await bench.networks.setUp({
      containerId: newId(),
      hostname: 's',
      endpoints: [{ network: 'bridge' }],
      ports: [],
      sysctls: sysctl,
    })
    t.equal(run(...inside(named.namespacePath, 'cat', '/proc/sys/net/ipv4/conf/eth0/log_martians')).trim(), '1')
    await t.rejects(
      bench.networks.setUp({
        containerId: newId(),
        hostname: 's',
        endpoints: [{ network: 'bridge' }],
        ports: [],
        sysctls: { 'net.no.such': '1' },
      }),
      { kind: 'internal', message: /sysctl net\.no\.such/ },
    )
    t.equal(bench.records.listEndpoints().length, 2)
  })

  await t.test('200 set-ups and tear-downs leave nothing behind', async (t) => {
    const bench = await networkBench()
    t.teardown(() => bench.close())
    const before = { links: links().length, table: table() }
    for (let round = 0; round < 20; round += 1) {
      const ids = await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          const { endpoints } = await start(bench, [`${9000 + index}:80`, `${9000 + index}:80/udp`])
          return endpoints[0]?.containerId ?? ''
        }),
      )
      t.equal(new Set(ids.map((id) => bench.networks.endpointsOf(id)[0]?.ipv4)).size, 10)
      await Promise.all(ids.map((id) => bench.networks.tearDown(id)))
    }
    await until(() => links().length <= before.links)
    t.equal(links().length, before.links)
    t.equal(table(), before.table)
    t.same(namespaceMounts(bench.execRoot), [])
    t.same(bench.records.listEndpoints(), [])
    t.match((await start(bench)).endpoints[0], { ipv4: '172.17.0.2' })
    await bench.networks.tearDown(newId())
  })

  await t.test('a start reuses no address whose last interface is still there', async (t) => {
    const bench = await networkBench()
    t.teardown(() => bench.close())
    for (let round = 0; round < 30; round += 1) {
      const { endpoints } = await start(bench)
      const names = new Set(veths().map(({ ifname }) => ifname))
      const older = [...seen].filter(([name, address]) => names.has(name) && address === endpoints[0]?.ipv4)
      t.same(older, [])
      seen.set(endpoints[0]?.hostInterface ?? '', endpoints[0]?.ipv4 ?? '')
      await bench.networks.tearDown(endpoints[0]?.containerId ?? '')
    }
  })

  await t.test('a restarted daemon keeps what lives and removes what does not', async (t) => {
    const bench = await networkBench()
    t.teardown(() => bench.close())
    const live = await webContainer(bench, { text: 'alive', ports: ['8080:80'] })
    const dead = await webContainer(bench, { text: 'dead', ports: ['8081:80'] })
    // What a crash may leave: a namespace without a record, a port of the bridge without one, no table, no bridge.
    await bench.helper.createNetworkNamespace({ path: `${bench.execRoot}/netns/${'f'.repeat(64)}` })
    run('ip', 'link', 'add', 'veth01234567', 'type', 'veth', 'peer', 'name', 'vp')
    run('ip', 'link', 'set', 'veth01234567', 'master', 'docker0')
    run('nft', 'delete', 'table', 'inet', 'dockerd-ts-docker0')
    await bench.networks.close()
    const next = await bench.restart()
    t.same((await next.reconcile(new Set([live.containerId]))).errors, [])
    t.equal(fetchText('http://127.0.0.1:8080'), 'alive')
    t.equal(fetchText('http://127.0.0.1:8081'), undefined)
    t.same(next.endpointsOf(live.containerId), live.endpoints)
    t.same(next.endpointsOf(dead.containerId), [])
    t.same(
      bench.records.listEndpoints().map(({ containerId }) => containerId),
      [live.containerId],
    )
    t.equal(namespaceMounts(bench.execRoot).length, 1)
    await until(() => veths().length === 1)
    t.equal(veths()[0]?.ifname, live.endpoints[0]?.hostInterface)
    // The port is held again, the address is taken, and a deleted bridge comes back with its ports.
    await t.rejects(
      next.setUp({ containerId: newId(), hostname: 'x', endpoints: [{ network: 'bridge' }], ports: [port('8080:80')] }),
      { message: /port is already allocated/ },
    )
    run('ip', 'link', 'del', 'docker0')
    t.same((await next.reconcile(new Set([live.containerId]))).errors, [])
    t.equal(fetchText('http://127.0.0.1:8080'), 'alive')
    t.same((await next.reconcile(new Set())).errors, [])
    t.same(bench.records.listEndpoints(), [])
    t.same(namespaceMounts(bench.execRoot), [])
  })

  await t.test("after a reboot nothing is left of the kernel's part, and the rows go", async (t) => {
    const bench = await networkBench()
    t.teardown(() => bench.close())
    const { endpoints } = await start(bench, ['8080:80'])
    await bench.helper.deleteNetworkNamespace(endpoints[0]?.namespacePath ?? '')
    run('ip', 'link', 'del', 'docker0')
    run('nft', 'flush', 'ruleset')
    await bench.networks.close()
    const next = await bench.restart()
    t.same((await next.reconcile(new Set())).errors, [])
    t.same(bench.records.listEndpoints(), [])
    const { endpoints: again } = await next.setUp({
      containerId: newId(),
      hostname: 'x',
      endpoints: [{ network: 'bridge' }],
      ports: [port('8080:80')],
    })
    t.equal(again[0]?.ports.length, 2)
  })

  await t.test('ports come with the first network that reaches the host, and go with the last', async (t) => {
    const bench = await networkBench()
    t.teardown(() => bench.close())
    const inner = await bench.networks.createNetwork({ ...draft('inner'), internal: true })
    const web = await webContainer(bench, { text: 'page', network: 'inner', ports: ['8080:80'] })
    const published = () => bench.networks.endpointsOf(web.containerId).map(({ ports }) => ports.length)
    t.same(published(), [0])
    const bridge = bench.networks.resolve('bridge')
    for (const round of ['first', 'again']) {
      await bench.networks.connect({ ...connection(web, 'bridge'), ports: [port('8080:80')] })
      t.equal(fetchText('http://127.0.0.1:8080'), 'page', round)
      await bench.networks.disconnect(web.containerId, bridge.id)
      t.equal(fetchText('http://127.0.0.1:8080'), undefined, round)
      t.same(published(), [0])
    }
    await bench.networks.tearDown(web.containerId)
    await bench.networks.removeNetwork(inner.id)
  })

  await t.test('user networks: subnets, isolation, connect and disconnect of what runs', async (t) => {
    const bench = await networkBench()
    t.teardown(() => bench.close())
    const front = await bench.networks.createNetwork(draft('front'))
    const back = await bench.networks.createNetwork({
      ...draft('back'),
      ipam: ipam({ subnet: '10.77.0.0/24', ipRange: '10.77.0.128/25' }),
    })
    t.match(front.ipam.config, [{ subnet: '172.18.0.0/16', gateway: '172.18.0.1' }])
    const web = await webContainer(bench, { text: 'front', network: 'front', ports: ['8080:80'] })
    t.equal(web.endpoints[0]?.ipv4, '172.18.0.2')
    const other = await bench.networks.setUp({
      containerId: newId(),
      hostname: 'o',
      endpoints: [
        {
          network: 'back',
          ipv4Address: '10.77.0.9',
          linkLocalAddresses: ['169.254.7.7', 'fe80::77'],
          sysctls: { 'net.ipv4.conf.IFNAME.log_martians': '1' },
        },
      ],
      ports: [],
    })
    t.equal(other.endpoints[0]?.ipv4, '10.77.0.9')
    const addresses = run(...inside(other.namespacePath, 'ip', 'addr', 'show', 'eth0'))
    t.match(addresses, /inet 169\.254\.7\.7\/16/)
    t.match(addresses, /inet6 fe80::77\/64/)
    t.equal(run(...inside(other.namespacePath, 'cat', '/proc/sys/net/ipv4/conf/eth0/log_martians')).trim(), '1')
    t.equal(fetchText('http://172.18.0.2', ...inside(other.namespacePath)), undefined, 'other networks are not reached')
    t.equal(fetchText('http://172.18.0.1:8080', ...inside(other.namespacePath)), 'front', 'their published ports are')
    const joined = await bench.networks.connect(connection(web, 'back'))
    t.equal(joined.containerInterface, 'eth1')
    t.equal(joined.ipv4, '10.77.0.129')
    t.equal(fetchText('http://10.77.0.129', ...inside(other.namespacePath)), 'front')
    // `back` comes before `front`: it now carries the default route and the published port.
    t.match(run(...inside(web.namespacePath, 'ip', 'route')), /^default via 10\.77\.0\.128 dev eth1/m)
    t.equal(fetchText('http://127.0.0.1:8080'), 'front')
    await t.rejects(bench.networks.connect(connection(web, 'back')), {
      kind: 'forbidden',
      message: /^endpoint with name web already exists in network back$/,
    })
    await bench.networks.disconnect(web.containerId, back.id)
    t.match(run(...inside(web.namespacePath, 'ip', 'route')), /^default via 172\.18\.0\.1 dev eth0/m)
    t.equal(fetchText('http://127.0.0.1:8080'), 'front')
    t.same(
      bench.networks.endpointsOf(web.containerId).map(({ networkId, ports }) => [networkId, ports.length]),
      [[front.id, 2]],
    )
    await t.rejects(bench.networks.createNetwork({ ...draft('x'), ipam: ipam({ subnet: '10.77.0.0/16' }) }), {
      kind: 'forbidden',
      message: 'Pool overlaps with other one on this address space',
    })
    await t.rejects(
      bench.networks.setUp({
        containerId: newId(),
        hostname: 'o',
        endpoints: [{ network: 'front', ipv4Address: '172.18.0.9' }],
        ports: [],
      }),
      { kind: 'invalidArgument', message: /user specified IP address is supported only when/ },
    )
    await bench.networks.tearDown(other.endpoints[0]?.containerId ?? '')
    await bench.networks.tearDown(web.containerId)
    for (const { id } of [front, back]) await bench.networks.removeNetwork(id)
    t.notMatch(
      links()
        .map(({ ifname }) => ifname)
        .join(),
      'br-',
    )
    t.throws(() => bench.networks.resolve('front'), { kind: 'notFound', message: 'network front not found' })
  })

  await t.test(
    'an internal network has no way out and publishes nothing; without icc containers are apart',
    async (t) => {
      const bench = await networkBench()
      t.teardown(() => bench.close())
      await bench.networks.createNetwork({ ...draft('shut'), internal: true })
      await bench.networks.createNetwork({
        ...draft('apart'),
        options: { 'com.docker.network.bridge.enable_icc': 'false' },
      })
      const shut = await webContainer(bench, { text: 'shut', network: 'shut', ports: ['8080:80'] })
      t.same(shut.endpoints[0]?.ports, [])
      t.equal(shut.endpoints[0]?.gateway, undefined)
      t.notMatch(run(...inside(shut.namespacePath, 'ip', 'route')), 'default')
      const web = await webContainer(bench, { text: 'apart', network: 'apart', ports: ['8081:80'] })
      const peer = await webContainer(bench, { text: 'peer', network: 'apart' })
      t.equal(fetchText(`http://${web.endpoints[0]?.ipv4}`), 'apart')
      t.equal(fetchText(`http://${web.endpoints[0]?.ipv4}`, ...inside(peer.namespacePath)), undefined)
      run('sh', '-c', 'for f in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do [ ! -e $f ] || echo 0 > $f; done')
      t.equal(
        fetchText(`http://${web.endpoints[0]?.ipv4}`, ...inside(peer.namespacePath)),
        undefined,
        'without br_netfilter too',
      )
    },
  )

  await t.test("IPv6 networks: addresses, route and published ports of the container's own", async (t) => {
    const bench = await networkBench()
    t.teardown(() => bench.close())
    const row = await bench.networks.createNetwork({
      ...draft('six'),
      enableIPv6: true,
      ipam: ipam({ subnet: 'fd00:66::/64' }),
    })
    t.equal(row.ipam.config.length, 2)
    const web = await webContainer(bench, { text: 'six', network: 'six', ports: ['8080:80'] })
    t.match(web.endpoints[0], { ipv6: 'fd00:66::2', ipv6PrefixLength: 64, gateway6: 'fd00:66::1' })
    t.match(run(...inside(web.namespacePath, 'ip', '-6', 'route')), /^default via fd00:66::1 dev eth0/m)
    for (const host of ['127.0.0.1', '[::1]', '[fd00:66::1]']) t.equal(fetchText(`http://${host}:8080`), 'six', host)
    t.equal(fetchText('http://[fd00:66::2]'), 'six')
    t.equal(fetchText('http://[fd00:66::1]:8080', ...inside(web.namespacePath)), 'six', 'itself')
  })
}

if (!isRoot) t.plan(0, 'needs root')
else if (inOwnNamespace()) await tests()
