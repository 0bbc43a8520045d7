import t from 'tap'
import { parseProcessExit } from './process-exit.ts'
import { lastRuntimeError } from './runtime-log.ts'

t.test('the last error of a JSON log is the reason', (t) => {
  const crun =
    '{"msg":"executable file `x` not found in $PATH: No such file or directory","level":"error","time":"t"}\n'
  t.equal(lastRuntimeError(crun), 'executable file `x` not found in $PATH: No such file or directory')
  const runc =
    '{"level":"warning","msg":"lesser"}\n{"level":"error","msg":"runc run failed: exec: \\"x\\": not found"}\nruntime text\n'
  t.equal(lastRuntimeError(runc), 'runc run failed: exec: "x": not found')
  t.equal(lastRuntimeError('{"level":"error","msg":"first"}\n{"level":"info","msg":"later"}'), 'first')
  t.end()
})

t.test('plain text counts when there is no record, and silence has words of its own', (t) => {
  t.equal(
    lastRuntimeError('cannot execute the runtime /x: No such file or directory\n'),
    'cannot execute the runtime /x: No such file or directory',
  )
  t.equal(lastRuntimeError('{"broken\n'), '{"broken')
  t.equal(lastRuntimeError(''), 'the OCI runtime failed without a message')
  t.end()
})

t.test('an exit record is read with what it has', (t) => {
  const json =
    '{"exitCode":137,"oomKilled":true,"finishedAtNs":"5","signal":9,"pid":3,"startTimeTicks":1,"startedAtNs":"4"}'
  const exit = { exitCode: 137, oomKilled: true, finishedAtNs: '5', signal: 9, pid: 3, startedAtNs: '4' }
  t.strictSame(parseProcessExit(json), exit)
  t.equal(parseProcessExit('{"exitCode":1,"finishedAtNs":"5","runtimeLog":"no"}').startError, 'no')
  t.throws(() => parseProcessExit('{}'), SyntaxError)
  t.end()
})
