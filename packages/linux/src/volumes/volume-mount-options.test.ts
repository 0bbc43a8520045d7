import t from 'tap'
import { parseMountWords, volumeMountRequest } from './volume-mount-options.ts'

const noHost = async (host: string) => {
  throw new Error(`asked for ${host}`)
}

t.test('words of mount(8) become flags, the rest is for the file system', async (t) => {
  t.strictSame(parseMountWords('size=1m,uid=7,nodev,noexec,ro,rw,defaults'), {
    flags: ['nodev', 'noexec'],
    flagBits: 0xc,
    data: 'size=1m,uid=7',
  })
  t.strictSame(parseMountWords('rbind,ro,rslave'), {
    flags: ['bind', 'rec', 'rdonly', 'slave'],
    flagBits: 0x5001 | 0x84000,
    data: '',
  })
  t.strictSame(parseMountWords(''), { flags: [], flagBits: 0, data: '' })
})

t.test('a bind needs no data and no type of its own', async (t) => {
  const request = await volumeMountRequest({ type: 'none', device: '/srv', o: 'bind' }, '/v', noHost)
  t.strictSame(request, { source: '/srv', target: '/v', fsType: 'none', flags: ['bind'], flagBits: 0x1000 })
})

t.test('host names of network file systems are resolved, those of others are data', async (t) => {
  const resolve = async (host: string) => `10.0.0.${host.length}`
  const nfs = await volumeMountRequest({ type: 'nfs', device: ':/x', o: 'addr=files,vers=4' }, '/v', resolve)
  t.equal(nfs.data, 'addr=10.0.0.5,vers=4')
  const other = await volumeMountRequest({ type: 'odd', device: 'x', o: 'addr=files' }, '/v', noHost)
  t.equal(other.data, 'addr=files')
})
