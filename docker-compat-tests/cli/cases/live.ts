/** What is asked of and done to running containers: update, stats, events, top, rename, pause, attach, wait, port. */
import { same } from './case.ts'

// Without a network: nothing but the container's own process moves its numbers.
const running = 'docker run -d --network none --name cc $IMAGE sleep 100 >/dev/null; '
const created = 'docker create --name cc $IMAGE true >/dev/null; '
const show = (...fields: string[]) =>
  `docker inspect -f "${fields.map((field) => `{{.HostConfig.${field}}}`).join(' ')}" cc`

export const liveCases = [
  same(
    'update of each limit',
    `${created}docker update --cpu-shares 512 cc; docker update --cpus 1.5 cc; docker update --cpu-period 50000 cc; docker update -c 256 --cpuset-cpus 0 --cpuset-mems 0 cc; docker update -m 64m --memory-swap 128m --memory-reservation 32m cc; docker update --pids-limit 50 cc; docker update --restart unless-stopped cc; docker update --blkio-weight 300 cc; ${show('CpuShares', 'NanoCpus', 'CpuPeriod', 'CpuQuota', 'CpusetCpus', 'CpusetMems', 'Memory', 'MemorySwap', 'MemoryReservation', 'PidsLimit', 'RestartPolicy.Name', 'BlkioWeight')}`,
  ),
  same(
    'update of period and quota',
    `${created}docker update --cpu-period 50000 --cpu-quota 25000 cc; ${show('CpuPeriod', 'CpuQuota')}; docker update --cpus 1 cc; docker update --cpu-quota 10 cc; docker update --cpu-rt-period 1 cc`,
  ),
  same(
    'update of a running container shows inside',
    `${running}docker update --memory 96m --memory-swap 96m --pids-limit 20 cc; ${show('Memory', 'MemorySwap', 'PidsLimit')}; docker update --pids-limit -1 cc; ${show('PidsLimit')}`,
  ),
  same(
    'update of several, and of one that is missing',
    `${created}docker create --name dd $IMAGE true >/dev/null; docker update --cpu-shares 128 cc nosuch dd; echo $?; docker inspect -f "{{.HostConfig.CpuShares}}" cc dd`,
  ),
  same(
    'update refuses in words',
    `${created}docker update cc; docker update -m 1 cc; docker update -m x cc; docker update --cpus x cc; docker update --restart nope cc; docker update --memory-swap 1m -m 64m cc; docker update -m 100g --memory-swap 1g cc; docker update --cpuset-cpus 9999 cc; docker update --cpuset-cpus x cc; docker update --blkio-weight 5 cc; docker update --kernel-memory 4m cc; docker create --rm --name rr $IMAGE true >/dev/null; docker update --restart always rr; docker update -m 64m nosuch; docker update --pids-limit x cc; echo $?`,
  ),
  same(
    'stats shows columns, templates, JSON',
    // Numbers are of the moment: only their shape is compared. All at once, as each takes a second.
    `${running}n='s/[0-9.][0-9.]*/N/g; s/N[kKMGT]*i*B/S/g; s/   */ /g'; s='docker stats --no-stream'; $s cc >a & $s --format '{{.Container}} {{.Name}} {{.PIDs}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.NetIO}} {{.BlockIO}}' cc >b & $s --format 'table {{.Name}}\\t{{.PIDs}}' cc >c & $s --format json cc >d & $s --no-trunc cc >e & wait; sed "s/^[0-9a-f]\\{12\\}/ID/; $n" a; sed "$n" b; cat c; sed 's/"ID":"[^"]*"/ID/; s/"[0-9.][^"]*"/V/g' d; tail -1 e | cut -d' ' -f1`,
  ),
  same(
    'stats of all, of stopped ones, of several',
    `${running}docker create --name dd $IMAGE true >/dev/null; s='docker stats --no-stream'; $s --format '{{.Name}}' >a & $s -a --format '{{.Name}}' >b & $s --format '{{.Name}} {{.PIDs}}' dd >c & $s --format '{{.Name}}' cc nosuch >d 2>&1 & $s --format '{{.Nope}}' cc >e 2>&1 & $s --format '{{' cc >f 2>&1 & wait; cat a; sort b; cat c d e f`,
  ),
  same(
    'events of a container from create to destroy',
    `s=$(date +%s.%N); docker create --name cc --label a=b --network none $IMAGE true >/dev/null; docker start -a cc; docker rename cc dd; docker rm dd >/dev/null; docker events --since $s --until $(($(date +%s)+1)) --filter type=container --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.a}} {{.Actor.Attributes.exitCode}} {{.Scope}}' | grep -v exec_`,
  ),
  same(
    'events filters',
    `s=$(date +%s.%N); docker volume create vv >/dev/null; docker network create nn >/dev/null; docker create --name cc --label a=b --network none $IMAGE true >/dev/null; docker create --name dd --network none $IMAGE true >/dev/null; docker network rm nn >/dev/null; e="docker events --since $s --until $(($(date +%s)+1)) --format {{.Type}}:{{.Action}}:{{.Actor.Attributes.name}}"; for f in type=volume type=network event=create container=cc label=a=b volume=vv network=nn image=$IMAGE scope=local; do echo "$f"; $e -f $f; done; $e -f type=container -f event=create -f container=cc -f container=dd; $e -f nope=x; $e -f type; echo $?`,
  ),
  same(
    'events refuse times and templates in words',
    `docker events --since x; docker events --until x; docker events --since 5 --until 1; docker events --since 1h --until 2h; docker events --format '{{.Nope}}' --since 1 --until 2; docker events --format '{{' --until 1; docker events x; echo $?`,
  ),
  same(
    'top with options of ps',
    `${running}docker top cc -o pid,comm | awk '{print NF, $NF}'; docker top cc -eo comm; docker top cc aux | head -1 | tr -s ' '; docker top cc -o comm; docker top cc --nope; docker create --name dd $IMAGE true >/dev/null; docker top dd; docker top nosuch; docker top; echo $?`,
  ),
  same(
    'rename refuses what it must',
    `${created}docker create --name dd $IMAGE true >/dev/null; docker rename cc dd; docker rename cc cc; docker rename cc 'b d'; docker rename cc ''; docker rename nosuch x; docker rename cc x >/dev/null; docker inspect -f '{{.Name}}' x; docker container rename x y; docker ps -a --format '{{.Names}}' | sort`,
  ),
  same(
    'pause and unpause',
    `${running}docker pause cc; docker ps --format '{{.State}}'; docker inspect -f '{{.State.Paused}} {{.State.Status}}' cc; docker pause cc; docker exec cc true; docker top cc >/dev/null; docker unpause cc; docker unpause cc; docker create --name dd $IMAGE true >/dev/null; docker pause dd cc nosuch; docker unpause cc dd; docker pause; echo $?`,
  ),
  same(
    'a paused container is stopped, restarted, killed',
    `${running}docker pause cc >/dev/null; docker stop -t 1 cc; docker start cc; docker pause cc >/dev/null; docker restart -t 0 cc; docker pause cc >/dev/null; docker rm cc; docker rm -f cc`,
  ),
  same(
    'attach shows what comes and passes the exit code on',
    `docker run -di --network none --name cc $IMAGE sh -c 'read x; echo got $x; echo err >&2; exit 5' >/dev/null; { echo text; docker wait cc >/dev/null; :; } | docker attach cc; echo $?`,
    // The input stays open until the end: where it ends before, it is chance how much of the output is seen. dash makes
    // the last command of a list its own process, with its own output: `:` keeps the pipe open.
  ),
  same(
    'attach --no-stdin leaves the input alone',
    `docker run -d --network none -i --name cc $IMAGE sh -c 'while ! test -e /go; do sleep 0.1; done; echo done; exit 3' >/dev/null; (echo text | docker attach --no-stdin cc; echo $?) & until docker exec cc touch /go; do sleep 0.1; done; wait`,
  ),
  same(
    'attach and exec refuse detach keys that are none',
    `${running}docker attach --detach-keys nope cc; docker attach --detach-keys ctrl-1 cc; docker exec --detach-keys nope cc true; docker run --rm --detach-keys nope $IMAGE true; docker start -a --detach-keys nope cc; echo $?`,
    // docker does not tell why the daemon refused a connection to be joined.
    { ignore: /unable to upgrade to tcp, received 400|Invalid detach keys/ },
  ),
  same(
    'attach refuses what is paused, stopped, missing',
    `${created}docker attach cc; docker rm cc >/dev/null; ${running}docker pause cc >/dev/null; docker attach cc; docker attach nosuch; docker attach; docker attach cc x; echo $?`,
  ),
  same(
    'attach passes signals on to the process',
    `docker run -d --network none --name cc $IMAGE sh -c 'trap "exit 4" TERM; while :; do echo tick; sleep 0.1; done' >/dev/null; docker attach cc >out & p=$!; until grep -q tick out 2>/dev/null; do sleep 0.1; done; kill -TERM $p; wait $p; echo $?; docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' cc`,
  ),
  same(
    'attach without a proxy for signals keeps them to itself',
    `docker run -d --network none --name cc $IMAGE sh -c 'trap "exit 4" TERM; while :; do echo tick; sleep 0.1; done' >/dev/null; docker attach --sig-proxy=false cc >out & p=$!; until grep -q tick out 2>/dev/null; do sleep 0.1; done; kill -HUP $p; wait $p 2>/dev/null; docker inspect -f '{{.State.Running}}' cc`,
  ),
  same(
    'kill takes signals by name and number',
    `docker run -d --network none --name cc $IMAGE sh -c 'trap "echo usr1" USR1; trap "exit 9" TERM; while :; do sleep 0.1; done' >/dev/null; until docker exec cc grep -q "SigCgt:.*[1-9a-f]" /proc/1/status; do :; done; docker kill -s USR1 cc; docker kill -s SIGNOPE cc; docker kill -s 99 cc; docker kill --signal=15 cc; docker wait cc; docker kill cc; docker kill nosuch; echo $?`,
  ),
  same(
    'wait of several, and of one that is missing',
    `docker run -d --network none --name aa $IMAGE sh -c 'exit 3' >/dev/null; docker run -d --network none --name bb $IMAGE true >/dev/null; docker wait aa bb nosuch; echo $?; docker create --name cc $IMAGE true >/dev/null; docker wait cc; docker wait ''; docker wait`,
  ),
  same(
    'port of one port, of all, of none',
    `docker run -d --name cc -p 127.0.0.1:18091:80 -p 127.0.0.1:18092:53/udp -p 127.0.0.1:18093-18094:90-91 $IMAGE sleep 100 >/dev/null; docker port cc; docker port cc 80; docker port cc 80/tcp; docker port cc 53; docker port cc 53/udp; docker port cc 80/sctp; docker port cc x/y/z; docker port cc 99999; docker port nosuch; docker ps --format '{{.Ports}}'; echo $?`,
  ),
  same(
    'start and restart of several, with one missing',
    `${running}docker create --name dd $IMAGE true >/dev/null; docker start cc dd nosuch; echo $?; docker restart -t 0 cc nosuch; docker restart -s KILL cc; docker stop -t 0 cc dd nosuch; docker stop -s NOPE cc; docker start -a cc dd; echo $?`,
  ),
]
