import t from 'tap'
import { elementChange, elementText, mapOf } from './port-mappings.ts'
import { type FirewallNetwork, renderBounce, renderRules, renderTable } from './render-table.ts'

const network: FirewallNetwork = {
  bridge: 'docker0',
  ipv4: '172.17.0.0/16',
  masquerade: true,
  icc: true,
  internal: false,
}
const mapping = {
  protocol: 'tcp',
  hostIp: '0.0.0.0',
  hostPort: 8080,
  containerPort: 80,
  target: '172.17.0.2',
} as const

t.test('an element is the same as bytes and as text', async (t) => {
  t.same(elementChange('add', 'own', mapping), {
    action: 'add',
    family: 'inet',
    table: 'own',
    set: 'ports4',
    key: [Uint8Array.of(6), Uint8Array.of(0x1f, 0x90)],
    value: [Uint8Array.of(172, 17, 0, 2), Uint8Array.of(0, 80)],
  })
  t.equal(elementText(mapping), 'tcp . 8080 : 172.17.0.2 . 80')
  const one = { ...mapping, protocol: 'udp', hostIp: '2001:db8::1', target: 'fd00::2' } as const
  t.match(elementChange('delete', 'own', one), { action: 'delete', set: 'ports6at', key: { length: 3 } })
  t.equal(elementText(one), 'udp . 2001:db8::1 . 8080 : fd00::2 . 80')
  t.same(
    ['0.0.0.0', '127.0.0.1', '::', '::1'].map((hostIp) => mapOf({ hostIp })),
    ['ports4', 'ports4at', 'ports6', 'ports6at'],
  )
})

t.test('rules are replaced without touching the elements of the maps', async (t) => {
  const rules = renderRules('own', [network])
  t.notMatch(rules, /delete table|ports\w+ \{|flush map/)
  t.match(renderTable('own', [network], [mapping]), /^add table inet own\ndelete table inet own\nadd table inet own\n/)
  t.match(renderTable('own', [network], [mapping]), 'add element inet own ports4 { tcp . 8080 : 172.17.0.2 . 80 }\n')
})

t.test('masquerading, isolation and internal networks follow the options', async (t) => {
  const masquerade = 'oifname != "docker0" ip saddr 172.17.0.0/16 masquerade'
  t.match(renderRules('own', [network]), masquerade)
  t.notMatch(renderRules('own', [{ ...network, masquerade: false }]), masquerade)
  const internal = renderRules('own', [{ ...network, internal: true }])
  t.notMatch(internal, masquerade)
  t.match(internal, 'iifname "docker0" oifname != "docker0" drop')
  t.match(renderRules('own', [network]), 'iifname "docker0" oifname "docker0" accept')
  t.match(renderRules('own', [{ ...network, icc: false }]), 'iifname "docker0" oifname "docker0" drop')
  t.match(renderRules('own', []), /forward oifname @bridges drop/)
})

t.test('answers to ::1 are sent on by the bridges that carry IPv6 only', async (t) => {
  t.equal(renderBounce('own', [network]), 'add table netdev own\ndelete table netdev own\n')
  const bounce = renderBounce('own', [network, { ...network, bridge: 'br-6', ipv6: 'fd00::/64' }])
  t.match(bounce, 'devices = { "br-6" }')
})
