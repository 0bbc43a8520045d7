import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { newId } from '@dockerd-ts/core'
import t from 'tap'
import { attempt, fetchText, inside, networkBench, port, run, webContainer } from './testing/network-bench.ts'
import { inOwnNamespace } from './testing/own-namespace.ts'

const isRoot = process.getuid?.() === 0
if (!isRoot) t.plan(0, 'needs root')
else if (inOwnNamespace()) await tests()

async function tests(): Promise<void> {
  const bench = await networkBench()
  t.teardown(() => bench.close())
  // A neighbour on the network of the host: 192.0.2.9 and 2001:db8::9, the host is .1 and ::1.
  const outside = `${bench.execRoot}/netns/outside`
  await bench.helper.createNetworkNamespace({ path: outside })
  const host = String(process.pid)
  run(...inside(outside, 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'uplink', 'netns', host))
  run('ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'uplink')
  run('ip', 'addr', 'add', '2001:db8::1/64', 'dev', 'uplink', 'nodad')
  run('ip', 'link', 'set', 'uplink', 'up')
  run(...inside(outside, 'ip', 'addr', 'add', '192.0.2.9/24', 'dev', 'eth0'))
  run(...inside(outside, 'ip', 'addr', 'add', '2001:db8::9/64', 'dev', 'eth0', 'nodad'))
  run(...inside(outside, 'ip', 'link', 'set', 'eth0', 'up'))

  await t.test('a port without a host address is reached everywhere, by IPv4 and IPv6', async (t) => {
    const web = await webContainer(bench, { text: 'everywhere', ports: ['8080:80'] })
    t.same(
      web.endpoints[0]?.ports.map(({ hostIp, hostPort }) => `${hostIp} ${hostPort}`),
      ['0.0.0.0 8080', ':: 8080'],
    )
    for (const host of ['127.0.0.1', '[::1]', 'localhost', '172.17.0.1', '192.0.2.1', '[2001:db8::1]']) {
      t.equal(fetchText(`http://${host}:8080`), 'everywhere', `from the host, ${host}`)
    }
    for (const host of ['192.0.2.1', '[2001:db8::1]']) {
      t.equal(fetchText(`http://${host}:8080`, ...inside(outside)), 'everywhere', `from outside, ${host}`)
    }
    const other = await bench.networks.setUp({
      containerId: newId(),
      hostname: 'o',
      endpoints: [{ network: 'default' }],
      ports: [],
    })
    t.equal(
      fetchText(`http://${web.endpoints[0]?.ipv4}`, ...inside(other.namespacePath)),
      'everywhere',
      'container to container',
    )
    for (const [who, path] of [
      ['another container', other.namespacePath],
      ['the container itself', web.namespacePath],
    ] as const) {
      for (const host of ['192.0.2.1', '172.17.0.1']) {
        t.equal(fetchText(`http://${host}:8080`, ...inside(path)), 'everywhere', `${who}, by the host's ${host}`)
      }
    }
    await bench.networks.tearDown(web.containerId)
    t.equal(fetchText('http://127.0.0.1:8080'), undefined)
    t.equal(fetchText('http://192.0.2.1:8080', ...inside(outside)), undefined)
  })

  await t.test('a port on one host address is reached by that address alone', async (t) => {
    const web = await webContainer(bench, { text: 'one', ports: ['127.0.0.1:8081:80', '[2001:db8::1]:8082:80'] })
    t.equal(fetchText('http://127.0.0.1:8081'), 'one')
    t.equal(fetchText('http://192.0.2.1:8081', ...inside(outside)), undefined)
    t.equal(fetchText('http://[2001:db8::1]:8082', ...inside(outside)), 'one')
    t.equal(fetchText('http://192.0.2.1:8082', ...inside(outside)), undefined)
    // A neighbour that routes 127.0.0.0/8 to us must not get what is published on our loopback.
    run(...inside(outside, 'ip', 'route', 'add', '127.0.0.1/32', 'via', '192.0.2.1', 'table', '7'))
    run(...inside(outside, 'ip', 'addr', 'del', '127.0.0.1/8', 'dev', 'lo'))
    run(...inside(outside, 'ip', 'rule', 'add', 'pref', '0', 'to', '127.0.0.1', 'lookup', '7'))
    t.equal(fetchText('http://127.0.0.1:8081', ...inside(outside)), undefined)
    await bench.networks.tearDown(web.containerId)
  })

  await t.test(
    'unpublished ports are not reached from outside, though the way to the container is known',
    async (t) => {
      const web = await webContainer(bench, { text: 'private', ports: [] })
      run(...inside(outside, 'ip', 'route', 'replace', '172.17.0.0/16', 'via', '192.0.2.1'))
      t.equal(fetchText(`http://${web.endpoints[0]?.ipv4}`, ...inside(outside)), undefined)
      t.equal(fetchText(`http://${web.endpoints[0]?.ipv4}`), 'private')
      await bench.networks.tearDown(web.containerId)
    },
  )

  await t.test('containers reach the outside under the address of the host', async (t) => {
    const web = await webContainer(bench, { text: 'x' })
    const script = "require('net').createServer((s) => s.end(s.remoteAddress)).listen(7000)"
    await bench.serve(outside, [process.execPath, '-e', script], () => listens(outside, 'tcp6', 7000))
    const seen = attempt(...inside(web.namespacePath, 'busybox', 'nc', '-w', '3', '192.0.2.9', '7000')) ?? ''
    t.match(seen, '192.0.2.1')
    t.notMatch(seen, '172.17.')
    await bench.networks.tearDown(web.containerId)
  })

  await t.test('UDP is published too, by IPv4 and IPv6', async (t) => {
    const containerId = newId()
    const { namespacePath } = await bench.networks.setUp({
      containerId,
      hostname: 'u',
      endpoints: [{ network: 'bridge' }],
      ports: [port('5353:53/udp')],
    })
    const script =
      "const s = require('dgram').createSocket('udp6'); s.on('message', (m, r) => s.send(m, r.port, r.address)); s.bind(53)"
    await bench.serve(namespacePath, [process.execPath, '-e', script], () => listens(namespacePath, 'udp6', 53))
    for (const [type, host] of [
      ['udp4', '127.0.0.1'],
      ['udp4', '192.0.2.1'],
      ['udp6', '::1'],
    ] as const) {
      t.equal(await udpEcho(type, host, 5353), 'ping', host)
    }
    await bench.networks.tearDown(containerId)
  })

  await t.test("ports of ours and of the host are refused in Docker's words, and nothing stays behind", async (t) => {
    const first = await bench.networks.setUp({
      containerId: newId(),
      hostname: 'a',
      endpoints: [{ network: 'bridge' }],
      ports: [port('8090:80')],
    })
    const before = state()
    const ask = (text: string, containerName = 'p2') =>
      bench.networks.setUp({
        containerId: newId(),
        containerName,
        hostname: 'b',
        endpoints: [{ network: 'bridge' }],
        ports: [port(text)],
      })
    const failed = /^driver failed programming external connectivity on endpoint p2 \([0-9a-f]{64}\): /
    await t.rejects(ask('8090:80'), {
      message: new RegExp(`${failed.source}Bind for 0\\.0\\.0\\.0:8090 failed: port is already allocated$`),
    })
    await t.rejects(ask('127.0.0.1:8090:80'), {
      message: /Bind for 127\.0\.0\.1:8090 failed: port is already allocated$/,
    })
    await t.rejects(ask('1.2.3.4:8091:80'), {
      message: /failed to bind host port for 1\.2\.3\.4:8091:172\.17\.0\.\d+:80\/tcp: cannot assign requested address$/,
    })
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(7070, '0.0.0.0', resolve))
    await t.rejects(ask('7070:80'), {
      message: /failed to bind host port for 0\.0\.0\.0:7070:172\.17\.0\.\d+:80\/tcp: address already in use$/,
    })
    await new Promise((resolve) => server.close(resolve))
    // Failed starts made no namespace, so there is nothing to wait for.
    t.same(state(), before)
    // And the other way round: what a container has, a program of the host cannot take.
    const late = createServer()
    const error = await new Promise<NodeJS.ErrnoException>((resolve) =>
      late.once('error', resolve).listen(8090, '0.0.0.0'),
    )
    t.equal(error.code, 'EADDRINUSE')
    const range = await ask('8090-8092:80')
    t.equal(range.endpoints[0]?.ports[0]?.hostPort, 8091)
    await bench.networks.tearDown(first.endpoints[0]?.containerId ?? '')
    t.equal((await ask('8090:80')).endpoints[0]?.ports[0]?.hostPort, 8090)
  })

  await t.test("ephemeral ports come from the kernel's range and differ", async (t) => {
    const { endpoints } = await bench.networks.setUp({
      containerId: newId(),
      hostname: 'e',
      endpoints: [{ network: 'bridge' }],
      ports: [port(':80'), port(':81'), port('127.0.0.1::82')],
    })
    const ports = new Set(endpoints[0]?.ports.map(({ hostPort }) => hostPort))
    t.equal(ports.size, 3)
    for (const hostPort of ports) t.ok(hostPort >= 32768 && hostPort <= 60999, String(hostPort))
  })

  await t.test('a container cannot reach the loopback of the host', async (t) => {
    const web = await webContainer(bench, { text: 'x', ports: ['8095:80'] })
    const reached: string[] = []
    const servers = ['127.0.0.1', '::1'].map((host) =>
      createServer((socket) => {
        reached.push(`${host} from ${socket.remoteAddress}`)
        socket.destroy()
      }).listen({ port: 7777, host }),
    )
    await Promise.all(servers.map((server) => once(server, 'listening')))
    const ip = (...argv: string[]) => run(...inside(web.namespacePath, 'ip', ...argv))
    const transit = (attempt('ip', '-6', '-o', 'addr', 'show', 'dev', 'docker0', 'scope', 'global') ?? '').match(
      /fd[0-9a-f:]+/,
    )?.[0]
    // Routes of the container's own making that lead 127.0.0.1 and ::1 to the bridge.
    ip('addr', 'flush', 'dev', 'lo')
    for (const [address, via] of [
      ['127.0.0.1', web.endpoints[0]?.gateway ?? ''],
      ['::1', transit ?? ''],
    ] as const) {
      const family = address === '::1' ? '-6' : '-4'
      ip(family, 'route', 'add', address, 'via', via, 'dev', 'eth0', 'table', '7')
      ip(family, 'rule', 'add', 'pref', '0', 'to', address, 'lookup', '7')
    }
    run(...inside(web.namespacePath, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet'))
    const sent = () => Number(/TX:[^\n]*\n\s+\d+\s+(\d+)/.exec(ip('-s', 'link', 'show', 'dev', 'eth0'))?.[1])
    for (const address of ['127.0.0.1', '::1']) {
      const before = sent()
      attempt(...inside(web.namespacePath, 'busybox', 'nc', '-w', '1', address, '7777'))
      t.ok(sent() > before, `packets for ${address} left the container`)
    }
    // Connections are accepted in order: when our own have been seen, any from the container would have been too.
    for (const host of ['127.0.0.1', '::1']) {
      await new Promise((resolve) => connect({ port: 7777, host }).resume().once('close', resolve))
    }
    t.same(reached, ['127.0.0.1 from 127.0.0.1', '::1 from ::1'])
    for (const server of servers) server.close()
  })
}

function listens(path: string, table: string, number: number): boolean {
  const text = attempt(...inside(path, 'cat', `/proc/self/net/${table}`)) ?? ''
  return text.includes(`:${number.toString(16).toUpperCase().padStart(4, '0')} `)
}

function state() {
  const links = (JSON.parse(run('ip', '-j', 'link')) as { ifname: string }[]).map(({ ifname }) => ifname).sort()
  return { links, table: run('nft', 'list', 'table', 'inet', 'dockerd-ts-docker0') }
}

function udpEcho(type: 'udp4' | 'udp6', host: string, udpPort: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(type)
    const timer = setTimeout(() => {
      socket.close()
      reject(new Error(`no answer from ${host}`))
    }, 5000)
    socket.once('message', (message) => {
      clearTimeout(timer)
      socket.close()
      resolve(message.toString())
    })
    socket.send('ping', udpPort, host)
  })
}
