import t from 'tap'
import { exposureWarnings, parseHosts } from './listeners.ts'

const choices = { tls: false, tlsVerify: false, listenDescriptors: [] }
const parse = (host: string, more = {}) => parseHosts([host], { ...choices, ...more })[0]

t.test('a host without a scheme is TCP, as for Docker', async (t) => {
  const tcp = (host: string, port: number, address: string) => ({ kind: 'tcp', host, port, tls: false, address })
  t.strictSame(parse('127.0.0.1:2000'), tcp('127.0.0.1', 2000, '127.0.0.1:2000'))
  t.strictSame(parse(':2000'), tcp('127.0.0.1', 2000, 'localhost:2000'))
  t.strictSame(parse(' 10.0.0.1 '), tcp('10.0.0.1', 2375, '10.0.0.1:2375'))
  t.strictSame(parse('tcp://'), tcp('127.0.0.1', 2375, 'localhost:2375'))
  t.strictSame(parse('[::1]:2000'), tcp('::1', 2000, '[::1]:2000'))
  t.match(parse('tcp://0.0.0.0', { tls: true }), { port: 2376, tls: true })
  t.strictSame(parse('unix:///run/x.sock'), { kind: 'unix', path: '/run/x.sock' })
  t.strictSame(parse('unix://'), { kind: 'unix', path: '/var/run/docker.sock' })
  t.strictSame(parse(''), { kind: 'unix', path: '/var/run/docker.sock' })
  t.strictSame(parseHosts(['fd://'], { ...choices, listenDescriptors: [3, 4] }), [
    { kind: 'fd', fd: 3 },
    { kind: 'fd', fd: 4 },
  ])
})

t.test('what is no host is refused in the words of dockerd', async (t) => {
  const refused: [string, string][] = [
    ['/run/x.sock', 'invalid bind address (/run/x.sock): should not contain a path element'],
    ['foo/bar', 'invalid bind address (foo/bar): should not contain a path element'],
    ['tcp://127.0.0.1:1/p', 'invalid bind address (tcp://127.0.0.1:1/p): should not contain a path element'],
    ['http://x', "invalid bind address (http://x): unsupported proto 'http'"],
    ['TCP://127.0.0.1:1', "invalid bind address (TCP://127.0.0.1:1): unsupported proto 'TCP'"],
    ['[::1', `invalid bind address ([::1): parse "tcp://[::1": missing ']' in host`],
    ['127.0.0.1:x', 'invalid bind address (127.0.0.1:x): parse "tcp://127.0.0.1:x": invalid port ":x" after host'],
    ['unix:foo', 'invalid bind address (unix:foo): parse "tcp://unix:foo": invalid port ":foo" after host'],
    ['127.0.0.1:99999', 'listen tcp: address 99999: invalid port'],
    ['fd://', 'no sockets found via socket activation: make sure the service was started by systemd'],
    ['npipe://x', 'invalid protocol format: "npipe"'],
  ]
  for (const [host, message] of refused) t.throws(() => parse(host), { message }, host)
})

t.test('it is told where everyone who reaches the API is root', async (t) => {
  const hosts = ['unix://', 'fd://', ':2000', 'tcp://[::1]:2001']
  const [first = '', second = '', ...others] = exposureWarnings(hosts, { tls: false, tlsVerify: false })
  t.match(
    first,
    /^\[DEPRECATION NOTICE\]: API is accessible on http:\/\/localhost:2000 without encryption\.\n {9}Access/,
  )
  t.ok(first.endsWith('Learn more at: https://docs.docker.com/go/api-security/'))
  t.match(second, 'API is accessible on http://[::1]:2001 without encryption.')
  t.strictSame(others, [])
  t.match(
    exposureWarnings([':1'], { tls: true, tlsVerify: false })[0],
    'https://localhost:1 without TLS client verification.',
  )
  t.strictSame(exposureWarnings(hosts, { tls: true, tlsVerify: true }), [])
})
