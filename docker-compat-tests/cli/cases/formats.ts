/** Templates, tables and JSON. */
import { same } from './case.ts'

const container =
  'docker create --name cc -l b=2 -l a=1 -e A=1 -p 18080:80 -v vv:/v --restart on-failure:3 $IMAGE sleep 100 >/dev/null; '

export const formatCases = [
  same(
    'ps shows tables, JSON and templates',
    `${container}docker ps -a; docker ps -a --format json; docker ps -aq; docker ps -a --no-trunc; docker ps -as; docker ps -a --format 'table {{.Names}}\\t{{.Status}}'`,
    { ignore: /Mounts/ },
  ),
  same(
    'ps templates know every column',
    `${container}for f in ID Names Image Command CreatedAt RunningFor Ports State Status Size LocalVolumes Networks; do docker ps -a --format "{{.$f}}"; done; docker ps -a --format '{{.Label "a"}}'`,
  ),
  same(
    'ps filters',
    `${container}docker ps -a -f name=cc -q | wc -l; docker ps -a -f label=a=1 -f status=created -q | wc -l; docker ps -a -f name=x; docker ps -n 1 -q | wc -l; docker ps -l -q | wc -l`,
  ),
  same(
    'ps of a running container with ports',
    'docker run -d --name cc --expose 90 --expose 80-82 $IMAGE sleep 100 >/dev/null; docker ps --format "{{.Ports}}|{{.State}}"',
  ),
  same('inspect shows raw JSON', `${container}docker inspect cc | grep -v -e Created -e Source -e '"[0-9a-f]*"'`),
  same(
    'inspect prints scalars and structures',
    `${container}for f in .Name .Config.Env .Config.Cmd .Config.Labels .HostConfig.RestartPolicy .HostConfig.PortBindings .HostConfig.Binds .State.Status .State.ExitCode .Config.Image .HostConfig.Memory .Args .Config.ExposedPorts .Config.Volumes .RestartCount .HostConfig.LogConfig .HostConfig.MemorySwappiness .NetworkSettings.Ports .State.Running .Config.Entrypoint; do docker inspect -f "$f={{$f}}" cc; done`,
  ),
  same(
    'inspect prints JSON of parts',
    `${container}for f in .State .Config .HostConfig .NetworkSettings .Config.Labels .Name; do docker inspect -f "{{json $f}}" cc; done`,
  ),
  same(
    'inspect knows the names of the raw JSON too',
    `${container}docker inspect -f '{{.Id}}' cc | wc -c; docker inspect -f '{{.HostConfig.Dns}} {{.ID}}' cc; docker inspect -f '{{.HostConfig.CpuShares}}' cc; docker inspect -f '{{.Nope}}' cc; docker inspect -f '{{.State.Nope}}' cc`,
  ),
  same(
    'inspect runs control structures',
    `${container}docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}{{if .State.Running}}up{{else}}down{{end}} {{with .Config}}{{.Image}}{{end}} {{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}{{range $i, $e := .Config.Cmd}}{{$i}}:{{$e}} {{end}}{{len .Mounts}} {{index .Config.Labels "a"}} {{index .Config.Cmd 0}}' cc`,
  ),
  same(
    'template functions',
    `${container}docker inspect -f '{{upper .Name}} {{lower "ABC"}} {{title "a b"}} {{join .Config.Cmd ","}} {{split "a,b" ","}} {{pad "x" 1 2}}| {{truncate "abcdef" 3}} {{printf "%s-%d-%q-%v-%5s|%-5s|%05d" "a" 3 "q" true "r" "l" 42}} {{print 1 2 "a" "b" 3}} {{println "x"}} {{slice "abcdef" 1 3}} {{html "<a>"}} {{urlquery "a b"}} {{js "it'"'"'s"}}' cc`,
  ),
  same(
    'template comparisons',
    `${container}docker inspect -f '{{eq 1 1}} {{eq "a" "b" "a"}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 1 2}} {{and 1 0 2}} {{or 0 "x"}} {{not true}} {{eq .State.Running false}} {{if eq .State.Status "created"}}yes{{end}} {{if and (eq 1 1) (gt 2 1)}}both{{end}}' cc`,
  ),
  same(
    'template variables, trimming and definitions',
    `${container}docker inspect -f '{{$x := .Name}}{{$x}} {{- " trimmed " -}} end {{define "t"}}<{{.}}>{{end}}{{template "t" .Name}} {{/* comment */}}{{$y := 1}}{{if true}}{{$y = 2}}{{end}}{{$y}} {{range .Config.Cmd}}{{if eq . "100"}}{{break}}{{end}}{{.}}{{end}} {{with $z := .Name}}{{$z}}{{end}} {{"quo\\"ted"}} {{1.5}} {{true}}' cc`,
  ),
  same(
    'template errors',
    `for t in '{{' '{{.Foo' '{{end}}' '{{if}}x{{end}}' '{{if true}}' '{{nope 1}}' '{{.A | nope}}' '{{"x}}' '{{$x}}' '{{range .}}' '{{index .Config.Env 99}}' '{{len 3}}' '{{eq 1 "a"}}' '{{lt true false}}' '{{join "a" 1}}' '{{.Name.Foo}}' '{{template "x"}}' '{{)}}' '{{else}}' '{{1 | 2}}'; do docker inspect -f "$t" $IMAGE; echo $?; docker ps --format "$t"; echo $?; done`,
  ),
  same(
    'template errors of listings',
    `${container}for t in '{{.Foo}}' '{{json .Foo}}' '{{.Names.Foo}}' 'table {{.Foo}}' '{{index .Names 0}}' '{{.Label}}' '{{.ID 1}}'; do docker ps -a --format "$t"; echo $?; done`,
  ),
  same(
    'images as JSON and by template',
    'docker images --format json; docker images --format "{{.ID}} {{.Repository}} {{.Tag}} {{.Size}} {{.Digest}} {{.CreatedSince}} {{.SharedSize}} {{.Containers}}"; docker images --format "table {{.Repository}}\\t{{.Size}}"; docker history --format json $IMAGE',
  ),
  same(
    'networks and volumes as JSON and by template',
    'docker volume create --label x=y vv; docker volume ls --format json; docker volume ls --format "{{.Name}} {{.Driver}} {{.Labels}} {{.Label \\"x\\"}} {{.Size}}"; docker network ls --format json; docker network ls --format "table {{.Name}}\\t{{.Internal}}"',
  ),
  same(
    'image inspect by template',
    'docker image inspect -f "{{.RepoTags}} {{.Os}}/{{.Architecture}} {{.Config.Cmd}} {{.RootFS}} {{.Size}} {{json .Config}} {{.Metadata.LastTagTime}}" $IMAGE',
  ),
  same(
    'inspect of several kinds at once',
    'docker volume create vv >/dev/null; docker create --name cc $IMAGE true >/dev/null; docker inspect -f "{{.Name}}" cc vv none; docker inspect --type volume vv; docker inspect --type image cc; docker inspect --type nope cc; docker inspect cc nosuch -f "{{.Name}}"',
  ),
]
