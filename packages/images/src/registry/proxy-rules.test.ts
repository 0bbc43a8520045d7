/** NO_PROXY as Go's programs read it. */
import t from 'tap'
import { bypassesProxy } from './proxy-rules.ts'

t.test('what goes by the proxy and what does not', async (t) => {
  const cases: [noProxy: string, url: string, direct: boolean][] = [
    ['', 'http://localhost:5000/', true],
    ['', 'http://127.1.2.3/', true],
    ['', 'http://[::1]:5000/', true],
    ['', 'https://example.com/', false],
    ['*', 'https://example.com/', true],
    ['example.com', 'https://example.com/', true],
    ['example.com', 'https://EXAMPLE.com./', true],
    ['example.com', 'https://a.b.example.com/', true],
    ['example.com', 'https://badexample.com/', false],
    ['.example.com', 'https://example.com/', false],
    ['.example.com', 'https://a.example.com/', true],
    ['*.example.com', 'https://a.example.com/', true],
    ['x, example.com:5000', 'http://example.com:5000/', true],
    ['x,example.com:5000', 'http://example.com/', false],
    ['example.com:443', 'https://example.com/', true],
    ['10.0.0.0/8', 'http://10.1.2.3:5000/', true],
    ['10.0.0.0/8', 'http://11.1.2.3/', false],
    ['10.0.0.0/99', 'http://10.1.2.3/', false],
    ['10.1.2.3', 'http://10.1.2.3/', true],
    ['10.1.2.3:80', 'http://10.1.2.3:81/', false],
    ['fd00::/8', 'http://[fd00::1]/', true],
    ['fd00::1', 'http://[fd00::1]/', true],
    ['[fd00::1]:80', 'http://[fd00::1]/', true],
    ['2.3', 'http://10.1.2.3/', false],
  ]
  for (const [noProxy, url, direct] of cases) t.equal(bypassesProxy(new URL(url), noProxy), direct, `${noProxy} ${url}`)
})
