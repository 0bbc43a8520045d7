/**
 * Compares the requests that docker and docker-ts send for the same command line, against a daemon that only listens:
 * every option must lead to the very same body of the create request.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ofThisRun } from '../support/programs.ts'

export interface SentRequest {
  method: string
  path: string
  body: unknown
}

/** Command lines whose requests are compared; files they name are made by `compareRequests`. */
export const requestCases: readonly string[] = [
  'create i',
  'create i sh -c "echo hi"',
  'create -it -e A=1 -e B= -e C=x=y --env-file envs -h host --domainname d -u 1:2 -w /w --name n i cmd',
  'create -l a=b -l c --label-file labels --annotation x=y i',
  'create -p 80 -p 8080:80 -p 127.0.0.1:1-3:1-3/udp -p [::1]:90:90 -p 9000-9005:99 -P --expose 5-7/udp --expose 53 i',
  'create -p target=80,published=8080,protocol=udp -p target=81 i',
  'create -v /a:/b -v /a:/b:ro,z -v name:/x -v /anon -v ./rel:/r --volume-driver d --volumes-from a:ro --tmpfs /t --tmpfs /u:size=1m i',
  'create --mount type=bind,src=/a,dst=/b,readonly,bind-propagation=rslave --mount type=volume,source=v,target=/v,volume-nocopy,volume-label=a=b,volume-driver=d,volume-opt=o=1,volume-subpath=p --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1777 i',
  'create --mount type=bind,src=/a,dst=/b,bind-recursive=disabled --mount type=bind,src=/a,dst=/c,ro,bind-recursive=writable --mount src=v,dst=/d,consistency=cached --mount type=image,src=x,dst=/e,image-subpath=y i',
  'create -m 1g --memory-swap 2g --memory-reservation 512m --memory-swappiness 10 --shm-size 64m --oom-kill-disable --oom-score-adj 5 --kernel-memory 5m i',
  'create -m 1.5GiB --memory-swap -1 --cpus 1.5 -c 512 --cpu-period 100 --cpu-quota 200 --cpu-rt-period 1 --cpu-rt-runtime 2 --cpuset-cpus 0-1 --cpuset-mems 0 --pids-limit 10 i',
  'create --blkio-weight 100 --blkio-weight-device /dev/sda:200 --device-read-bps /dev/sda:1mb --device-write-bps /dev/sda:1k --device-read-iops /dev/sda:10 --device-write-iops /dev/sda:20 i',
  'create --ulimit nofile=1:2 --ulimit core=-1 --ulimit nproc=5 i',
  'create --device /dev/a --device /dev/a:/dev/b --device /dev/a:rw --device /dev/a:/dev/b:r --device vendor.com/class=name --device-cgroup-rule "c 1:3 rwm" i',
  'create --gpus all i',
  'create --gpus 2 i',
  'create --gpus "\\"device=0,1\\",capabilities=utility,driver=nvidia,options=a=b" i',
  'create --cap-add NET_ADMIN --cap-drop ALL --privileged --security-opt seccomp=unconfined --security-opt no-new-privileges --security-opt label=disable --security-opt systempaths=unconfined --read-only --group-add 5 --userns host i',
  'create --security-opt seccomp=profile.json i',
  'create --health-cmd "curl x" --health-interval 1m30s --health-timeout 500ms --health-retries 3 --health-start-period 1h --health-start-interval 2s i',
  'create --no-healthcheck i',
  'create --restart always i',
  'create --restart on-failure:5 --rm=false i',
  'create --rm --init --stop-signal INT --stop-timeout 3 --runtime crun --isolation x --cgroup-parent p --cgroupns host --ipc host --pid host --uts host i',
  'create --init=false --stop-timeout 0 i',
  'create --dns 1.1.1.1 --dns-option a --dns-search x.com --add-host a:1.2.3.4 --add-host b=::1 --add-host c:host-gateway i',
  'create --network n --network-alias a --ip 1.2.3.4 --ip6 ::1 --link-local-ip 169.254.1.1 --mac-address 02:42:ac:11:00:02 --link x:y i',
  'create --network name=n,alias=a,alias=b,ip=1.2.3.4,driver-opt=k=v,gw-priority=5,mac-address=02:42:ac:11:00:02 --network m i',
  'create --network host i',
  'create --network none i',
  'create --net container:x i',
  'create --log-driver local --log-opt max-size=1m --log-opt tag=x --storage-opt size=1g --sysctl net.core.somaxconn=1 i',
  'create --entrypoint prog i arg',
  'create --entrypoint "" i arg',
  'create -a stdin -a stderr i',
  'create -i -a stdout i',
  'create -t --platform linux/arm64/v8 i',
  'run -d -i --name x i',
  'run -d --rm i cmd',
  'update -m 10m --memory-swap -1 --cpus 2 --restart always --pids-limit 5 c',
  'update --cpu-shares 5 c d',
  'exec -d -e A=1 -u u -w /w --privileged c cmd arg',
  'exec -dit c cmd',
  'volume create --label a=b -d drv -o x=y v',
  'network create --subnet 10.0.0.0/24 --gateway 10.0.0.1 --ip-range 10.0.0.128/25 --aux-address a=10.0.0.5 --label l=1 -o k=v --internal --attachable --ipv6 --ipam-driver d --ipam-opt o=p -d mine n',
  'network create n',
  'network create --config-only --ipv4=false --scope local n',
  'network connect --alias a --ip 10.0.0.5 --link x:y --link-local-ip 169.254.0.1 --driver-opt a=b --gw-priority 3 n c',
  'network connect n c',
  'network disconnect -f n c',
  'stop -t 5 -s INT c',
  'restart c',
  'kill -s 9 c',
  'rm -fv c',
  'rm -l c',
  'tag i reg.example.com:5000/x:1',
  'rmi -f --no-prune i',
  'commit -a me -m msg -c "CMD x" --pause=false c r:t',
  'ps -a -n 3 -f status=running -f label=a=b -s',
  'images -a -f dangling=true x',
  'rename a b',
  'volume rm -f v',
  'volume prune -f -a --filter label=x',
  'container prune -f --filter until=1h',
  'image prune -af --filter label!=x',
  'network prune -f',
  'logs -f --tail 5 -t --details --until 1700000000 c',
  'top c -o pid',
  'pull -q reg.example.com/x@sha256:0000000000000000000000000000000000000000000000000000000000000000',
  'pull -aq alpine',
  'push -q alpine:3',
  'import -m msg -c "CMD x" --platform linux/arm64 http://example.com/x.tar repo:tag',
  'history i',
  'wait c',
  'pause c',
  'start c',
  'container inspect -s c',
  'image inspect i',
  'network inspect -v n',
  'search --limit 5 --filter is-official=true x',
  'builder prune -af --keep-storage 1g',
]

/** The requests (beside the ping) that `client` sends for the command line. */
export async function requestsOf(client: string, line: string): Promise<SentRequest[]> {
  const directory = mkdtempSync(join(tmpdir(), 'dts-req-'))
  const requests: SentRequest[] = []
  const server = listen(join(directory, 'socket'), requests)
  try {
    writeFileSync(join(directory, 'envs'), 'F=1\n# comment\nHOME\nG = x\n'.replace('G = x', 'G=x y'))
    writeFileSync(join(directory, 'labels'), 'one=1\ntwo\n')
    writeFileSync(join(directory, 'profile.json'), '{\n "defaultAction": "SCMP_ACT_ALLOW"\n}\n')
    await once(server)
    const env = {
      PATH: process.env.PATH ?? '',
      ...ofThisRun,
      HOME: '/nonexistent',
      DOCKER_CONFIG: join(directory, 'config'),
      DOCKER_HOST: `unix://${join(directory, 'socket')}`,
    }
    const child = spawn('sh', ['-c', `exec ${client} ${line}`], { env, cwd: directory, stdio: 'ignore' })
    await new Promise((resolve) => child.on('close', resolve))
    return requests.map((request) =>
      ordered(JSON.parse(JSON.stringify(request).replaceAll(directory, '<dir>')) as SentRequest),
    )
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(directory, { recursive: true, force: true })
  }
}

const once = (server: Server) =>
  server.listening ? Promise.resolve() : new Promise<void>((resolve) => server.once('listening', resolve))

/** Answers every request with something that lets the client go on. */
function listen(socket: string, requests: SentRequest[]): Server {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.setHeader('Api-Version', '1.50')
      response.setHeader('Ostype', 'linux')
      response.setHeader('Builder-Version', '2')
      if (request.url?.includes('/_ping')) return response.end('OK')
      const text = Buffer.concat(chunks).toString()
      requests.push({
        method: request.method ?? '',
        path: sortedQuery(request.url ?? ''),
        body: text.startsWith('{') ? JSON.parse(text) : text,
      })
      response.setHeader('Content-Type', 'application/json')
      response.end(answerTo(request.url ?? ''))
    })
  })
  return server.listen(socket)
}

function answerTo(url: string): string {
  if (
    /\/(json|search)\?|images\/json|containers\/json|history/.test(url) &&
    !/containers\/c\/json|images\/i\/json/.test(url)
  )
    return '[]'
  if (url.includes('/wait')) return '{"StatusCode":0}'
  return '{"Id":"x","Warnings":[],"Name":"n","Volumes":[],"Config":{},"State":{"Running":true},"Titles":[],"Processes":[]}'
}

/** Docker's client keeps these in maps, so that it sends them in any order. */
function ordered(request: SentRequest): SentRequest {
  const { HostConfig } = (request.body || {}) as {
    HostConfig?: { Binds?: string[] | null; Ulimits?: { Name: string }[] | null }
  }
  const { Env } = (request.body || {}) as { Env?: string[] | null }
  Env?.sort()
  HostConfig?.Binds?.sort()
  HostConfig?.Ulimits?.sort((a, b) => (a.Name < b.Name ? -1 : 1))
  return request
}

/** The order of parameters carries no meaning; neither does the form of a boolean. */
function sortedQuery(url: string): string {
  const [path = '', query = ''] = url.split('?')
  return query === '' ? path : `${path}?${query.split('&').sort().join('&')}`
}
