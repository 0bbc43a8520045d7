/** More requests about containers whose answers are compared with dockerd's: every filter, and what is refused. */
import { type ComparedRequest, create, del, filters, get, post, run } from './request.ts'

const list = (value: object, more: Partial<ComparedRequest> = {}) => get(`/containers/json?${filters(value)}`, more)
const listAll = (value: object, more: Partial<ComparedRequest> = {}) =>
  get(`/containers/json?all=1&${filters(value)}`, more)

const listed = [
  create(
    'lone',
    run('exit 3', { Labels: { a: '1', b: '2' }, ExposedPorts: { '80/tcp': {}, '53/udp': {} }, Volumes: { '/v': {} } }),
  ),
  create('ltwo', run('sleep 1000', { Labels: { a: '2' }, ExposedPorts: { '80/tcp': {}, '53/udp': {} } })),
  create('lthree', run('true', { Healthcheck: { Test: ['CMD', 'true'], Interval: 3600e9 } })),
  post('/containers/lone/start'),
  post('/containers/lone/wait'),
  post('/containers/ltwo/start'),
  list({ name: ['l'] }),
  ...[
    ...[
      { id: ['zzz'] },
      { id: ['['] },
      { name: ['^l.*e$'] },
      { name: ['/lone'] },
      { name: ['^/lone$'] },
      { name: ['['] },
    ],
    ...[{ label: ['a'] }, { label: ['a=1'] }, { label: ['a', 'b'] }, { label: ['a=1', 'b=3'] }, { 'label!': ['a'] }],
    ...[{ status: ['created'] }, { status: ['running', 'exited'] }, { status: ['paused'] }, { status: ['restarting'] }],
    ...[{ status: ['removing'] }, { status: ['dead'] }, { status: [''] }, { exited: ['3'] }, { exited: ['0', '3'] }],
    ...[{ exited: ['-1'] }, { exited: [''] }, { health: ['none'] }, { health: ['starting'] }, { health: ['healthy'] }],
    ...[{ health: ['NONE'] }, { ancestor: ['busybox'] }, { ancestor: ['busybox:latest'] }, { ancestor: [''] }],
    ...[{ before: ['ltwo'] }, { since: ['ltwo'] }, { since: ['none'] }, { before: [''] }],
    ...[{ since: ['lone'], before: ['lthree'] }, { volume: ['/v'] }, { volume: [''] }, { network: ['none'] }],
    ...[{ network: ['host'] }, { network: ['bridge', 'none'] }, { publish: ['80'] }, { publish: ['x'] }],
    ...[
      { publish: ['80/x'] },
      { publish: ['1-2-3'] },
      { expose: ['80'] },
      { expose: ['80/tcp'] },
      { expose: ['53/udp'] },
    ],
    ...[{ expose: ['53'] }, { expose: ['70-90'] }, { expose: ['90-70'] }, { expose: [''] }, { expose: ['99999'] }],
    ...[{ 'is-task': ['true'] }, { 'is-task': ['false'] }, { 'is-task': ['x'] }, { 'is-task': [''] }],
    ...[{ isolation: ['default'] }, { isolation: ['x'] }, { name: [] }, { driver: ['x'] }],
  ].map((value) => listAll(value)),
  get('/containers/json?filters={"name":{"lone":true}}&all=1'),
  get('/containers/json?filters={"name":"lone"}&all=1'),
  get('/containers/json?filters=&all=1'),
  get('/containers/json?filters=[]'),
  get('/containers/json?limit=1'),
  get('/containers/json?limit=-1'),
  get('/containers/json?limit=2&all=0'),
  del('/containers/lone?v=1'),
  del('/containers/ltwo?force=1'),
  del('/containers/lthree'),
]

const sizes = 'a size that is none is a wrong request (400), as in newer versions; dockerd 26 takes it'
const written = 'the kernel’s refusal is told without the words of the OCI runtime, which writes no limits here'

const resized = [
  create('plain', run('sleep 1000')),
  create('term', run('sleep 1000', { Tty: true })),
  post('/containers/term/resize?h=10&w=20'),
  post('/containers/plain/start'),
  post('/containers/term/start'),
  ...['h=10&w=20', 'h=0&w=0', 'h=10', 'w=10', 'h=x&w=10', 'h=70000&w=70000'].flatMap((size) => [
    post(`/containers/plain/resize?${size}`),
    post(`/containers/term/resize?${size}`),
  ]),
  post('/containers/term/resize?h=-1&w=10', undefined, { differs: sizes }),
  post('/containers/term/resize?h=4294967296&w=1', undefined, { differs: sizes }),
  post('/containers/none/resize?h=1&w=1'),
  post('/containers/none/resize?h=x&w=1'),
  ...['o%20comm', 'aux%20extra', '-o', 'o%20pid%20--nonsense', '%3B', ';', '-C%20none', 'p%201'].map((args) =>
    get(`/containers/plain/top?ps_args=${args}`),
  ),
  post('/containers/plain/pause'),
  get('/containers/plain/top?ps_args=o%20comm'),
  post('/containers/plain/resize?h=1&w=1'),
  post('/containers/plain/kill?signal=HUP'),
  post('/containers/plain/restart?t=0'),
  ...[
    '0',
    '-1',
    '999',
    'SIGNONSENSE',
    'SIG',
    '1.5',
    ' HUP',
    'sigcont',
    'cont',
    'CONT',
    '18',
    'SIGRTMIN+3',
    'RTMAX-1',
    'RTMIN+99',
  ].map((signal) => post(`/containers/plain/kill?signal=${encodeURIComponent(signal)}`)),
  post('/containers/plain/stop?signal=NONSENSE'),
  post('/containers/plain/restart?signal=NONSENSE'),
  post('/containers/none/kill?signal=NONSENSE'),
  post('/containers/plain/rename?name=term'),
  post('/containers/plain/rename?name=/plainer'),
  post('/containers/plainer/rename?name=/'),
  post('/containers/plainer/rename?name=a'),
  post('/containers/plainer/rename?name=with%20blank'),
  post('/containers/plainer/rename?name=plain'),
  post('/containers/none/rename?name=x'),
  post('/containers/none/rename?name='),
  ...[
    ...[{ Memory: 1 }, { Memory: 16777216, MemorySwap: 8388608 }, { MemoryReservation: 1 }],
    ...[{ CpuPeriod: 5 }, { CpuQuota: 5 }, { NanoCpus: 1e15 }, { NanoCpus: 1e9, CpuQuota: 5000 }],
    ...[{ CpusetCpus: '999' }, { CpusetCpus: 'x' }, { CpusetMems: 'x' }, { BlkioWeight: 5 }, { PidsLimit: -2 }],
    ...[{ RestartPolicy: { Name: 'always', MaximumRetryCount: 2 } }, { RestartPolicy: { Name: 'unless-stopped' } }],
    ...[{ CpuShares: 512 }, { Memory: 67108864, MemorySwap: 67108864 }, { Memory: 134217728 }, { PidsLimit: 100 }],
    ...[{ NanoCpus: 5e8 }, { CpuQuota: 5000 }, { CpuPeriod: 100000, CpuQuota: 50000 }],
  ].flatMap((body) => [post('/containers/plain/update', body), post('/containers/none/update', body)]),
  post('/containers/plain/update', { MemorySwap: 16777216 }, { differs: written }),
  post('/containers/plain/update', { CpuShares: -1 }, { differs: written }),
  get('/containers/plain/json'),
  del('/containers/term?force=1'),
  del('/containers/plain?force=1'),
  create('auto', run('sleep 1000', { HostConfig: { AutoRemove: true } })),
  post('/containers/auto/update', { RestartPolicy: { Name: 'always' } }),
  del('/containers/auto?force=1'),
]

const pruned = [
  ...[
    ...[{ until: ['x'] }, { until: ['1h', '2h'] }, { until: [''] }, { until: ['1h'] }, { label: ['none'] }],
    ...[{ 'label!': ['x=y'], label: ['none'] }, { dangling: ['true'] }, { label: [''] }],
  ].map((value) => post(`/containers/prune?${filters(value)}`)),
  post('/containers/prune?filters=nonsense'),
  post('/containers/prune?filters='),
  create('pone', run('true', { Labels: { keep: '1' } })),
  create('ptwo', run('true', { Labels: { go: '1' } })),
  post(`/containers/prune?${filters({ 'label!': ['keep'] })}`),
  get('/containers/json?all=1'),
  post(`/containers/prune?${filters({ label: ['keep=1'] })}`),
  get('/containers/json?all=1'),
]

const attached = [
  create('att', run('cat', { OpenStdin: true })),
  ...['', '?stream=1', '?logs=1', '?stream=x', '?detachKeys=nonsense'].flatMap((query) => [
    post(`/containers/none/attach${query}`),
    get(`/containers/none/attach/ws${query}`),
    get(`/containers/att/attach/ws${query}`),
  ]),
  get('/containers/att/stats?stream=0'),
  get('/containers/none/stats?stream=1&one-shot=1'),
  get('/containers/att/stats?stream=1&one-shot=1'),
  get('/containers/att/stats?stream=0&one-shot=1'),
  post('/containers/att/wait?condition=not-running'),
  post('/containers/att/wait?condition='),
  post('/containers/none/wait?condition=removed'),
  post('/containers/none/wait?condition=nonsense'),
  del('/containers/att'),
]

export const containerRequests: readonly ComparedRequest[] = [...listed, ...resized, ...pruned, ...attached]
