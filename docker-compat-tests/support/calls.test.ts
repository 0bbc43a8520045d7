import t from 'tap'
import { callsIn } from './calls.ts'

t.test('calls are told by client, once each, answered when one of them was', async (t) => {
  const line = (operation: string, client: string, refused = '') =>
    `time="2026-01-01T00:00:00.000Z" level=debug msg="API call" operation=${operation} version=1.44 client=${client}${refused}`
  const log = [
    line('ContainerList', '"Docker-Client/28.2.2 (linux)"', ' refused="no"'),
    line('ContainerList', '"Docker-Client/28.2.2 (linux)"'),
    line('ContainerList', 'docker-sdk-python/5.0.3'),
    line('ImageBuild', 'docker-ts/0.1.0', ' refused="not yet"'),
    line('ContainerList', 'curl/8.0'),
    'time="2026-01-01T00:00:00.000Z" level=debug msg="API call" operation=ContainerList version=1.44',
    'level=info msg=other',
  ].join('\n')
  t.same(callsIn(log), [
    { client: 'docker', clientVersion: '28.2.2', operation: 'ContainerList', answered: true },
    { client: 'docker-py', clientVersion: '5.0.3', operation: 'ContainerList', answered: true },
    { client: 'docker-ts', clientVersion: '0.1.0', operation: 'ImageBuild', answered: false },
  ])
})
