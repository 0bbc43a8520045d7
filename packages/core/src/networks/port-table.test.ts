import t from 'tap'
import { hostAddresses, PortTable, parseHostPort } from './port-table.ts'

const port = (hostIp: string, hostPort: number, protocol: 'tcp' | 'udp' = 'tcp') => ({
  protocol,
  hostIp,
  hostPort,
  containerPort: 80,
})

t.test('a wildcard and a single address of one family exclude each other, families and protocols do not', async (t) => {
  const table = new PortTable({ first: 40000, last: 40002 })
  table.take(port('0.0.0.0', 8080), 'a')
  t.equal(table.isTaken(port('127.0.0.1', 8080)), true)
  t.equal(table.isTaken(port('0.0.0.0', 8080)), true)
  t.equal(table.isTaken(port('::', 8080)), false)
  t.equal(table.isTaken(port('0.0.0.0', 8080, 'udp')), false)
  table.take(port('10.0.0.1', 9090), 'a')
  t.equal(table.isTaken(port('0.0.0.0', 9090)), true)
  t.equal(table.isTaken(port('10.0.0.2', 9090)), false)
})

t.test('only the owner releases a port', async (t) => {
  const table = new PortTable({ first: 40000, last: 40002 })
  table.take(port('0.0.0.0', 8080), 'b')
  table.release(port('0.0.0.0', 8080), 'a')
  t.equal(table.isTaken(port('0.0.0.0', 8080)), true)
  table.release(port('0.0.0.0', 8080), 'b')
  t.equal(table.isTaken(port('0.0.0.0', 8080)), false)
})

t.test('ephemeral candidates begin after the last one given out and cover the whole range once', async (t) => {
  const table = new PortTable({ first: 40000, last: 40002 })
  const first = table.candidates({ protocol: 'tcp', hostPort: '' }).next().value
  t.equal(first, 40000)
  t.same([...table.candidates({ protocol: 'tcp', hostPort: '0' })], [40001, 40002, 40000])
  t.same([...table.candidates({ protocol: 'tcp', hostPort: '8000-8002' })], [8000, 8001, 8002])
  t.same([...table.candidates({ protocol: 'tcp', hostPort: '80' })], [80])
})

t.test('host ports that are none are refused', async (t) => {
  for (const text of ['x', '70000', '9-8', '1-2-3', '-1', ' 80']) {
    t.throws(() => parseHostPort(text), { kind: 'invalidArgument', message: /./ }, text)
  }
  t.same(parseHostPort('65535'), { first: 65535, last: 65535 })
})

t.test('no host address means both families where the host has both', async (t) => {
  t.same(hostAddresses('', true), ['0.0.0.0', '::'])
  t.same(hostAddresses('', false), ['0.0.0.0'])
  t.same(hostAddresses('::1', true), ['::1'])
})
