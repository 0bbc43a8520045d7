import t from 'tap'
import { endpointsOf } from './endpoints.ts'

const options = {
  mirrors: ['https://hub.mirror/', 'ghcr.io=https://ghcr.mirror', '10.9.8.7:5000=http://other.mirror:8080'],
  insecureRegistries: ['10.0.0.0/8', 'other.mirror:8080'],
}
const bases = async (domain: string) => (await endpointsOf({ domain }, options)).map(({ base }) => base)

t.test('mirrors of any registry come before it', async (t) => {
  t.same(await bases('docker.io'), ['https://hub.mirror', 'https://registry-1.docker.io'])
  t.same(await bases('ghcr.io'), ['https://ghcr.mirror', 'https://ghcr.io'])
  t.same(await bases('10.9.8.7:5000'), ['http://other.mirror:8080', 'https://10.9.8.7:5000', 'http://10.9.8.7:5000'])
  t.same(await bases('10.9.8.7'), ['https://10.9.8.7', 'http://10.9.8.7'], 'another port is another registry')
})

t.test('what is insecure is so by its own name', async (t) => {
  const [mirror, registry] = await endpointsOf({ domain: '10.9.8.7:5000' }, options)
  t.match(mirror, { mirror: true, insecure: true })
  t.match(registry, { mirror: false, insecure: true })
  t.match((await endpointsOf({ domain: 'ghcr.io' }, options))[0], { mirror: true, insecure: false })
})
