/** Containers: run, lifecycle, exec, logs, copying. */
import { same } from './case.ts'

export const containerCases = [
  same('run prints the output of the command', 'docker run --rm $IMAGE echo hello'),
  same(
    'run keeps stdout and stderr apart and passes the exit code on',
    "docker run --rm $IMAGE sh -c 'echo out; echo err >&2; exit 7'",
  ),
  same('run -i passes standard input through', 'docker run --rm -i $IMAGE cat', { stdin: 'one\ntwo\n' }),
  same('run -i passes a large input through unchanged', 'head -c 3000000 /dev/zero | docker run --rm -i $IMAGE md5sum'),
  same(
    'run passes a large output through unchanged',
    "docker run --rm $IMAGE sh -c 'head -c 5000000 /dev/zero' | md5sum",
  ),
  same('run without -i gives an empty input', 'docker run --rm $IMAGE cat', { stdin: 'ignored' }),
  same(
    'run -d prints the id',
    'docker run -d --name cc $IMAGE true; docker wait cc; docker ps -a --format "{{.Names}} {{.State}}"',
  ),
  same('run --rm removes the container', 'docker run --rm --name cc $IMAGE true; docker ps -a'),
  same('run of a missing program exits 127', 'docker run --rm $IMAGE nosuchprogram', { ignore: /OCI runtime/ }),
  same('run of a directory exits 126', 'docker run --rm $IMAGE /etc', { ignore: /OCI runtime/ }),
  same('run of a killed process exits 137', "docker run --rm $IMAGE sh -c 'kill -9 $$'"),
  same('run -a stdout shows only stdout', "docker run --rm -a stdout $IMAGE sh -c 'echo out; echo err >&2'"),
  same('run -a stderr shows only stderr', "docker run --rm -a stderr $IMAGE sh -c 'echo out; echo err >&2'"),
  same('run -t merges the streams', "docker run --rm -t $IMAGE sh -c 'echo out; echo err >&2'"),
  same('run --cidfile writes the id', 'docker run --rm --cidfile id $IMAGE true; wc -c <id'),
  same('run with an id file that exists is refused', 'touch id; docker run --cidfile id $IMAGE true'),
  same('run --name in use is refused', 'docker create --name cc $IMAGE true; docker run --name cc $IMAGE true'),
  same(
    'run takes environment, workdir, user, hostname',
    "docker run --rm -e A=1 -e HOME -w /tmp -u 1000:1000 -h box $IMAGE sh -c 'echo $A $PWD; hostname; id -u'",
  ),
  same(
    'run --env-file reads variables',
    "printf 'A=1\\n# no\\nB=two words\\n' >f; docker run --rm --env-file f -e C=3 $IMAGE env | sort",
  ),
  same('run --entrypoint replaces the program', 'docker run --rm --entrypoint echo $IMAGE hi there'),
  same('run -v mounts a directory', 'echo x >f; docker run --rm -v $PWD:/m:ro $IMAGE cat /m/f'),
  same(
    'run --mount mounts a volume',
    'docker run --rm --mount type=volume,src=vv,dst=/v $IMAGE touch /v/x; docker run --rm -v vv:/v $IMAGE ls /v',
  ),
  same(
    'run --tmpfs mounts a tmpfs',
    'docker run --rm --tmpfs /t:size=1m $IMAGE sh -c \'grep " /t " /proc/mounts | cut -d" " -f1-3\'',
  ),
  same('run --read-only makes the root read-only', 'docker run --rm --read-only $IMAGE touch /x'),
  same('run -d with -a is refused', 'docker run -d -a stdout $IMAGE true'),
  same('run --rm with a restart policy is refused', 'docker run --rm --restart always $IMAGE true'),
  same('run -it without a terminal is refused', 'docker run -it $IMAGE true'),
  same(
    'run passes SIGTERM on to the process',
    'docker run --rm --name cc $IMAGE sh -c \'trap "echo got; exit 3" TERM; echo ready; while :; do sleep 0.1; done\' >out & p=$!; until grep -q ready out 2>/dev/null; do sleep 0.1; done; kill -TERM $p; wait $p; echo $?; cat out',
  ),
  same(
    'create prints the id and start its name',
    'docker create --name cc $IMAGE true; docker start cc; docker wait cc',
  ),
  same(
    'start -a shows output and passes the exit code on',
    "docker create --name cc $IMAGE sh -c 'echo hi; exit 4'; docker start -a cc",
  ),
  same('start -ai passes input', 'docker create -i --name cc $IMAGE cat; docker start -ai cc', { stdin: 'text\n' }),
  same(
    'start of several prints each',
    'docker create --name aa $IMAGE true; docker create --name bb $IMAGE true; docker start aa bb nosuch',
  ),
  same(
    'stop, kill, restart, pause, unpause print names',
    'docker run -d --name cc $IMAGE sleep 100; docker pause cc; docker unpause cc; docker restart -t 0 cc; docker kill cc; docker start cc; docker stop -t 0 cc',
  ),
  same(
    'wait prints exit codes',
    "docker run -d --name aa $IMAGE sh -c 'exit 3'; docker run -d --name bb $IMAGE true; docker wait aa bb",
  ),
  same('rename and rm', 'docker create --name aa $IMAGE true; docker rename aa bb; docker rm aa; docker rm bb'),
  same(
    'rm of a running container is refused without -f',
    'docker run -d --name cc $IMAGE sleep 100; docker rm cc; docker rm -f cc',
  ),
  same('rm -f of what is missing succeeds', 'docker rm -f nosuch; echo $?'),
  same(
    'exec runs a command and passes its exit code on',
    "docker run -d --name cc $IMAGE sleep 100; docker exec cc sh -c 'echo out; echo err >&2; exit 5'",
  ),
  same('exec -i passes input through', 'docker run -d --name cc $IMAGE sleep 100 >/dev/null; docker exec -i cc cat', {
    stdin: 'text\n',
  }),
  same(
    'exec -d prints nothing',
    'docker run -d --name cc $IMAGE sleep 100 >/dev/null; docker exec -d cc touch /x; for i in 1 2 3 4 5 6 7 8 9; do docker exec cc test -e /x && break; sleep 0.2; done; echo ok',
  ),
  same(
    'exec takes environment, workdir and user',
    "docker run -d --name cc $IMAGE sleep 100 >/dev/null; docker exec -e A=1 -w /tmp -u 1000 cc sh -c 'echo $A $PWD; id -u'",
  ),
  same('exec -t gives a terminal', 'docker run -d --name cc $IMAGE sleep 100 >/dev/null; docker exec -t cc tty'),
  same(
    'exec of a missing program exits 127',
    'docker run -d --name cc $IMAGE sleep 100 >/dev/null; docker exec cc nosuchprogram',
    { ignore: /OCI runtime/ },
  ),
  same('exec in a stopped container is refused', 'docker create --name cc $IMAGE true >/dev/null; docker exec cc ls'),
  same(
    'logs shows both streams',
    "docker run --name cc $IMAGE sh -c 'echo out; echo err >&2' >/dev/null 2>&1; docker logs cc",
  ),
  same(
    'logs --tail, -t, --since and --until choose lines',
    'docker run --name cc $IMAGE seq 5 >/dev/null; docker logs -n 2 cc; docker logs -t -n 1 cc; docker logs --since 1h -n 1 cc; docker logs --until 2001-01-01 cc',
  ),
  same(
    'logs -f ends with the container',
    "docker run -d --name cc $IMAGE sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done' >/dev/null; docker logs -f cc",
  ),
  same(
    'logs of a terminal are raw',
    'docker run -t --name cc $IMAGE echo hi >/dev/null; docker logs cc | od -c | head -2',
  ),
  same(
    'attach shows output and passes the exit code on',
    "docker run -d --name cc $IMAGE sh -c 'sleep 1; echo hi; exit 6' >/dev/null; docker attach cc",
  ),
  same('attach to a stopped container is refused', 'docker create --name cc $IMAGE true >/dev/null; docker attach cc'),
  same(
    'top shows processes',
    'docker run -d --name cc $IMAGE sleep 100 >/dev/null; docker top cc | sed "s/  */ /g" | cut -d" " -f1,8-; docker top cc -o comm',
  ),
  same(
    'diff lists changes',
    "docker run --name cc $IMAGE sh -c 'touch /new; rm /etc/group; echo x >>/etc/passwd'; docker diff cc | sort",
  ),
  same(
    'update changes limits',
    'docker create --name cc $IMAGE true >/dev/null; docker update --cpu-shares 512 --memory 64m --memory-swap 128m --restart on-failure:3 cc; docker inspect -f "{{.HostConfig.CpuShares}} {{.HostConfig.Memory}} {{.HostConfig.RestartPolicy}}" cc',
  ),
  same(
    'cp copies a file in and out',
    'docker create --name cc $IMAGE true >/dev/null; echo data >f; docker cp f cc:/tmp/g; docker cp cc:/tmp/g h; cat h; docker cp cc:/tmp/g - | tar t',
  ),
  same(
    'cp copies a directory in and out',
    'docker create --name cc $IMAGE true >/dev/null; mkdir -p d/e; echo 1 >d/e/f; ln -s e d/l; docker cp d cc:/tmp; docker cp cc:/tmp/d out; docker cp cc:/tmp/d/. out2; find out out2 | sort; readlink out/l',
  ),
  same(
    'cp follows a link with -L',
    'docker create --name cc $IMAGE true >/dev/null; echo 1 >f; ln -s f l; docker cp -L l cc:/tmp/x; docker cp l cc:/tmp/y; docker cp cc:/tmp - | tar tv | grep -o "tmp/[xy].*"; docker cp -L cc:/tmp/x z; cat z',
  ),
  same(
    'cp refuses what it must',
    'docker create --name cc $IMAGE true >/dev/null; docker cp nosuch cc:/; docker cp cc:/nosuch .; docker cp cc:/etc nodir/x; docker cp cc:/ cc:/; docker cp a b; docker cp - cc:/etc/passwd; mkdir d; touch f; docker cp d cc:/etc/passwd; docker cp f cc:/nodir/; docker cp f cc:/nodir/x',
    { ignore: /level=error/ },
  ),
  same(
    'cp reads and writes archives',
    'docker create --name cc $IMAGE true >/dev/null; echo 1 >f; tar c f | docker cp - cc:/tmp; docker cp cc:/tmp/f - | tar xO',
  ),
  same(
    'export writes the filesystem',
    'docker create --name cc $IMAGE true >/dev/null; docker export cc | tar t | grep -c bin/; docker export -o f.tar cc; tar tf f.tar | grep etc/passwd',
  ),
  same(
    'port lists published ports',
    'docker create --name cc -p 18080:80 -p 127.0.0.1:18081:81/udp $IMAGE true >/dev/null; docker port cc; docker port cc 99; docker port cc x',
  ),
  same(
    'container prune removes stopped containers',
    'docker create --name cc $IMAGE true; docker container prune -f; docker ps -aq',
  ),
  same('container prune asks first', 'docker create --name cc $IMAGE true >/dev/null; docker container prune', {
    stdin: 'n\n',
  }),
]
