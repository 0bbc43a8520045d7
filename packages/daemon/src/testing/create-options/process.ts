/** The process itself, and its streams. */
import { configShows, hostShows, type Row, refuses, shows } from './row.ts'

export const processRows: readonly Row[] = [
  configShows('Cmd', ['echo', 'a'], {
    'spec.process.args': ['echo', 'a'],
    'inspect.Path': 'echo',
    'inspect.Args': ['a'],
  }),
  // Docker's clients may send one string.
  shows('Cmd', 'one', { 'spec.process.args': ['one'], 'inspect.Config.Cmd': ['one'] }),
  configShows('Entrypoint', ['/bin/x'], { 'spec.process.args': ['/bin/x'], 'inspect.Path': '/bin/x' }),
  shows('Env', ['A=b'], { 'spec.process.env.2': 'A=b', 'inspect.Config.Env': ['A=b', 'PATH=/bin'] }),
  refuses('Env', ['=b'], [400, 'invalid environment variable: =b']),
  configShows('User', 'bob', { 'spec.process.user.uid': 1000, 'spec.process.user.gid': 1000 }),
  configShows('User', '7:8', { 'spec.process.user.uid': 7, 'spec.process.user.gid': 8 }),
  refuses('User', 'nobody-here', [500, 'unable to find user nobody-here: no matching entries in passwd file']),
  configShows('WorkingDir', '/work', { 'spec.process.cwd': '/work' }),
  refuses('WorkingDir', 'work', [400, "the working directory 'work' is invalid, it needs to be an absolute path"]),
  configShows('Tty', true, {
    'spec.process.terminal': true,
    'monitor.terminal': true,
    'spec.process.env.2': 'TERM=xterm',
  }),
  configShows('OpenStdin', true, { 'monitor.openStdin': true }),
  configShows('StdinOnce', true, { 'monitor.stdinOnce': true }),
  configShows('AttachStdin', true, {}),
  configShows('AttachStdout', true, {}),
  configShows('AttachStderr', true, {}),
  configShows('ArgsEscaped', true, {}),
  configShows('OnBuild', ['RUN x'], {}),
  configShows('Labels', { a: 'b', from: 'request' }, {}),
  configShows('Shell', ['/bin/bash', '-c'], {}),
  configShows('Image', 'busybox:latest', {}),
  refuses('Image', 'nobody', [404, 'No such image: nobody:latest']),
  hostShows(
    'ConsoleSize',
    [10, 20],
    {
      'spec.process.consoleSize': { height: 10, width: 20 },
      'monitor.consoleSize': { height: 10, width: 20 },
    },
    { with: { Tty: true } },
  ),
  hostShows('Init', true, {
    'spec.process.args': ['/sbin/docker-init', '--', 'sh'],
    'spec.mounts.10.destination': '/sbin/docker-init',
  }),
  hostShows('Annotations', { 'a.b': 'c' }, { 'spec.annotations[a.b]': 'c' }),
  refuses('HostConfig.Annotations', { '': 'c' }, [
    400,
    'invalid Annotations: the empty string is not permitted as an annotation key',
  ]),
  hostShows('Runtime', 'other', { 'monitor.runtime.path': '/usr/bin/other' }),
  refuses('HostConfig.Runtime', 'nobody', [400, 'unknown or invalid runtime name: nobody']),
]
