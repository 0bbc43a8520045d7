/** Networks, volumes, system, contexts. */
import { same } from './case.ts'

export const systemCases = [
  same(
    'volume create, ls, inspect, rm',
    'docker volume create vv; docker volume create --label a=b ww; docker volume ls; docker volume ls -q -f label=a; docker volume inspect vv; docker volume inspect -f "{{.Name}} {{.Driver}} {{.Labels}}" ww; docker volume rm vv ww nosuch',
  ),
  same('volume create without a name', 'docker volume create | wc -c'),
  same('volume prune', 'docker volume create vv; docker volume prune -f; docker volume prune -af'),
  same('volume prune asks', 'docker volume prune; docker volume prune -a', { stdin: 'n\nn\n' }),
  same(
    'network ls and inspect',
    'docker network ls; docker network ls -q --no-trunc; docker network inspect none host; docker network inspect -f "{{.Name}} {{.Driver}} {{.IPAM}}" none',
  ),
  same(
    'network errors',
    'docker network rm nosuch; docker network rm -f nosuch; docker network inspect nosuch; docker network connect nosuch cc; docker network disconnect none nosuch; docker network create',
  ),
  same('network prune asks', 'docker network prune; docker network prune -f', { stdin: 'n\n' }),
  same(
    'system df',
    'docker create --name cc -v vv:/v $IMAGE true >/dev/null; docker system df; docker system df --format "{{.Type}} {{.TotalCount}}"; docker system df --format json',
    { ignore: /^Images|"Images"/ },
  ),
  same(
    'system df -v by a template',
    `docker create --name cc -l a=b -v vv:/v $IMAGE true >/dev/null; f='{{range .Images}}{{.Repository}} {{.ID}} {{.Size}} {{.UniqueSize}} {{.Containers}}{{end}}|{{range .Containers}}{{.ID}} {{.Names}} {{.Label "a"}} {{.LocalVolumes}}{{end}}|{{range .Volumes}}{{.Name}} {{.Links}}{{end}}|{{len .BuildCache}}'; docker system df -v --format "$f"; docker system df -v --format "table $f"; docker system df -v --format json | sed 's/"Size":"[^"]*"/"Size"/'; docker system df -v --format '{{.Nope}}'; docker system df -v --format '{{'; echo $?`,
  ),
  same('system df -v', 'docker create --name cc -v vv:/v $IMAGE true >/dev/null; docker system df -v'),
  same('system prune asks', 'docker system prune; docker system prune -a --volumes --filter label=x', { stdin: 'n\n' }),
  same('system prune -f', 'docker create --name cc $IMAGE true >/dev/null; docker system prune -f --volumes'),
  // The registry and bridge-nf-call are lines of clients before 23 about what newer daemons no longer send.
  same(
    'info',
    // docker walks a Go map, whose order is chance: the runtimes' names are sorted.
    `docker info >all 2>&1; sed -n '/^Server/,$p' all | grep -vE '^ (Registry|Runtimes):|bridge-nf-call'; sed -n 's/^ Runtimes://p' all | tr -s ' ' '\\n' | sort`,
  ),
  same(
    'info formats',
    'docker info -f "{{.ServerVersion}} {{.Driver}} {{.NCPU}} {{.Plugins.Volume}} {{json .Runtimes}} {{.Swarm.LocalNodeState}}"; docker info -f "{{.Nope}}"; docker info -f "{{.Nope"',
  ),
  same(
    'version shows the daemon',
    'docker version | sed -n "/^Server/,\\$p"; docker version -f "{{.Server.Version}} {{.Server.APIVersion}} {{.Client.APIVersion}} {{json .Server.Components}}"',
  ),
  same(
    'events between two times',
    's=$(date +%s); docker run --rm --name cc $IMAGE true; docker events --since $s --until $(($(date +%s)+1)) -f container=cc | sed "s/execDuration=[0-9]*/execDuration=N/"',
  ),
  same(
    'events as JSON and by template',
    's=$(date +%s); docker create --name cc $IMAGE true >/dev/null; docker events --since $s --until $(($(date +%s)+1)) -f event=create --format json | sed "s/\\"time.*//"; docker events --since $s --until 0s -f event=create -f type=container --format "{{.Action}} {{.Actor.Attributes.name}} {{.Type}}"',
  ),
  same(
    'contexts',
    'unset DOCKER_HOST; docker context ls; docker context create a --description text --docker host=unix:///x; docker context create a; docker context ls --format json; docker context inspect a; docker context use a; docker context show; docker context rm a; docker context rm -f a; docker context show; docker context use nosuch; docker context create default',
  ),
  same(
    'contexts beside DOCKER_HOST',
    'docker context create a --docker host=unix:///x; docker context use a; docker context ls; docker context show; docker context update --description d a; docker context inspect -f "{{.Metadata}} {{.Endpoints.docker.Host}}" a; docker -c a ps; docker context use default',
  ),
  same(
    'stats shows one result',
    // Without a network: on a bridge the kernel's own multicast traffic moves the counters between the two runs.
    'docker run -d --network none --name cc $IMAGE sleep 100 >/dev/null; docker stats --no-stream --format "{{.Name}} {{.PIDs}} {{.NetIO}}" cc; docker stats --no-stream nosuch',
  ),
  same('login without a terminal', 'docker login; docker login -u x; docker logout; docker logout example.com'),
  same(
    'unreachable daemons',
    'docker -H unix:///nosuch ps; docker -H tcp://127.0.0.1:1 version -f "{{.Server.Version}}"; docker -H bad://x ps; docker -c nosuch ps; docker -H unix:///nosuch run x',
  ),
]
