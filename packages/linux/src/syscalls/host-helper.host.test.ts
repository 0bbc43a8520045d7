import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { needsRoot } from '../monitor/testing/test-bundle.ts'
import { HelperProcess } from './helper-process.ts'
import { startHostHelper } from './host-helper.ts'
import { operation } from './protocol.ts'
import { openHelperBench } from './testing/helper-bench.ts'
import { until } from './testing/until.ts'

t.test('the helper', needsRoot, async (t) => {
  const { helper, directory, restarts } = await openHelperBench(t)

  await t.test('answers many requests at once', async (t) => {
    await Promise.all(Array.from({ length: 2000 }, () => helper.ping()))
    t.pass()
  })

  await t.test('is started again when it dies, and requests under way are repeated', async (t) => {
    const before = helper.pid ?? 0
    await mkdir(path.join(directory, 'trees/a'), { recursive: true })
    process.kill(before, 'SIGSTOP')
    const removal = helper.removeTree(path.join(directory, 'trees'))
    const spawning = helper.spawnMonitor({
      arguments: ['monitor', directory],
      socketPath: path.join(directory, 'x.sock'),
    })
    process.kill(before, 'SIGKILL')
    await t.rejects(spawning, /SIGKILL/, 'a monitor is not started twice')
    await removal
    t.notOk(existsSync(path.join(directory, 'trees')))
    t.not(helper.pid, before)
    t.match(restarts, [/SIGKILL/])
  })

  await t.test('serves others while a large tree is removed', async (t) => {
    const order: string[] = []
    const tree = path.join(directory, 'large')
    for (let i = 0; i < 30; i++) {
      await mkdir(path.join(tree, String(i)), { recursive: true })
      await Promise.all(Array.from({ length: 100 }, (_, j) => writeFile(path.join(tree, String(i), String(j)), '')))
    }
    await Promise.all([
      helper.removeTree(tree).then(() => order.push('tree')),
      helper.ping().then(() => order.push('ping')),
    ])
    t.same(order, ['ping', 'tree'])
  })

  await t.test('refuses what it does not know', async (t) => {
    const other = new HelperProcess({ program: helperProgram(helper.pid ?? 0) })
    await t.rejects(other.request(999, []), { code: 'ENOSYS' })
    for (const code of Object.values(operation))
      if (code < 32 && code !== operation.PING && code !== operation.NFT_ELEMENTS)
        await t.rejects(other.request(code, []), { code: 'EINVAL' }, String(code))
    await other.request(operation.NFT_ELEMENTS, [])
    await other.close()
    await t.rejects(other.request(operation.PING, []), /closed/)
  })

  await t.test('ends when its daemon does, and leaves no zombies', async (t) => {
    const other = await startHostHelper({ program: helperProgram(helper.pid ?? 0) })
    const pid = other.pid ?? 0
    await Promise.all(Array.from({ length: 5 }, (_, index) => other.removeTree(path.join(directory, `none${index}`))))
    // A worker's answer is whole when its pipe closes, a moment before the kernel has reaped it; a zombie would stay.
    await until(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') === '')
    await other.close()
    t.notOk(existsSync(`/proc/${pid}`))
  })
})

t.test('a program that cannot be run is an error, not a loop', async (t) => {
  await t.rejects(startHostHelper({ program: '/no/such/program' }), /ENOENT/)
  await t.rejects(startHostHelper({ program: '/bin/false' }), /ended \(1\)/)
})

function helperProgram(pid: number): string {
  return `/proc/${pid}/exe`
}
