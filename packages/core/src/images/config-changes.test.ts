import t from 'tap'
import { applyConfigChanges } from './config-changes.ts'

t.test('instructions change the configuration as a Dockerfile would', async (t) => {
  const config = applyConfigChanges({ Env: ['PATH=/bin', 'A=1'], Labels: { keep: 'x' } }, [
    'CMD ["sh", "-c", "true"]',
    'ENTRYPOINT /run me',
    'ENV A="two words" B=$A/x PATH=$PATH:/opt',
    'ENV OLD value with  spaces',
    'label a=b "c d"=e',
    'EXPOSE 80 53/udp 8000-8001',
    'VOLUME /data /more',
    'USER 1000:1000',
    'WORKDIR /a',
    'WORKDIR b/../c',
    'STOPSIGNAL SIGINT',
    'ONBUILD RUN make',
    'HEALTHCHECK --interval=5s --retries=2 CMD curl -f http://x',
  ])
  t.same(config, {
    Cmd: ['sh', '-c', 'true'],
    Entrypoint: ['/bin/sh', '-c', '/run me'],
    Env: ['PATH=/bin:/opt', 'A=two words', 'B=1/x', 'OLD=value with  spaces'],
    Labels: { keep: 'x', a: 'b', 'c d': 'e' },
    ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {} },
    Volumes: { '/data': {}, '/more': {} },
    User: '1000:1000',
    WorkingDir: '/a/c',
    StopSignal: 'SIGINT',
    OnBuild: ['RUN make'],
    Healthcheck: { Interval: 5_000_000_000, Retries: 2, Test: ['CMD-SHELL', 'curl -f http://x'] },
  })
})

t.test('what is no change, or no valid one, is refused', async (t) => {
  const cases: [string, string | RegExp][] = [
    ['RUN x', 'RUN is not a valid change command'],
    ['FROM x', 'FROM is not a valid change command'],
    ['constructor x', 'constructor is not a valid change command'],
    ['CMD', 'CMD requires at least one argument'],
    ['USER a b', 'USER requires exactly one argument'],
    ['ENV a=b c', /can't find = in "c"/],
    ['EXPOSE 99999', 'invalid containerPort: 99999'],
    ['HEALTHCHECK x', /Unknown type/],
    ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
  ]
  for (const [line, message] of cases) {
    t.throws(() => applyConfigChanges({}, [line]), { kind: 'invalidArgument', message }, line)
  }
})
