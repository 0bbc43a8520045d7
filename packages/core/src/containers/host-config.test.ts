import t from 'tap'
import { fakeHostDescription } from '../testing/fake-host.ts'
import { fakeHostState } from '../testing/fake-host-state.ts'
import { testEngine } from '../testing/test-engine.ts'

t.test('cgroup namespaces: the daemon’s default, except for privileged containers on cgroup v1', async (t) => {
  const { cgroup } = fakeHostDescription(fakeHostState())
  for (const [version, asked, expected] of [
    ['1', {}, 'private'],
    ['1', { Privileged: true }, 'host'],
    ['1', { Privileged: true, CgroupnsMode: 'private' }, 'private'],
    ['2', { Privileged: true }, 'private'],
  ] as const) {
    const test = testEngine({ defaultCgroupNamespaceMode: 'private' }, { cgroup: { ...cgroup, version } })
    const id = await test.create({ HostConfig: asked })
    const { HostConfig: hostConfig } = await test.engine.containers.inspect(id, { size: false })
    t.equal(hostConfig.CgroupnsMode, expected, `${JSON.stringify(asked)} on v${version}`)
  }
})
