/** What prunes remove, ask and say. */
import { same } from './case.ts'

const stopped =
  'docker create --name cc --label a=b $IMAGE true >/dev/null; docker create --name dd $IMAGE true >/dev/null; '

export const pruneCases = [
  same(
    'container prune with filters',
    `${stopped}docker container prune -f --filter label=a=b; docker ps -a --format '{{.Names}}'; docker container prune -f --filter label!=a; docker ps -aq | wc -l; docker container prune -f`,
  ),
  same(
    'container prune by age',
    `${stopped}docker container prune -f --filter until=1h; docker container prune -f --filter until=2001-01-01; docker ps -aq | wc -l; docker container prune -f --filter until=x; docker container prune -f --filter nope=x; docker container prune -f --filter until; echo $?`,
  ),
  same('container prune answered with yes', `${stopped}docker container prune; docker ps -aq`, { stdin: 'y\n' }),
  same(
    'container prune answered with anything else',
    `${stopped}docker container prune; echo $?; docker ps -aq | wc -l`,
    {
      stdin: 'yes\n',
    },
  ),
  same('container prune without an answer', `${stopped}docker container prune </dev/null; echo $?`),
  same(
    'image prune of dangling ones and of unused ones',
    `docker create --name keep $IMAGE true >/dev/null; docker commit -c 'LABEL p=q' keep >/dev/null; docker commit keep un:1 >/dev/null; docker image prune -f | sed 's/[0-9.]*k*B$/SIZE/'; docker image prune -af --filter label=none; docker image prune -af --filter until=1h; docker images -q un | wc -l; docker image prune -af | sed 's/[0-9.]*k*B$/SIZE/'; docker images -q un | wc -l`,
  ),
  same(
    'image prune refuses in words',
    `docker image prune -f --filter nope=x; docker image prune -f --filter until=x; docker image prune -f --filter dangling=x; docker image prune x; echo $?`,
  ),
  same(
    'image prune answered',
    'docker create --name keep $IMAGE true >/dev/null; docker image prune; docker image prune -a',
    {
      stdin: 'y\ny\n',
    },
  ),
  same(
    'volume prune keeps named ones unless all are asked for',
    `docker volume create vv >/dev/null; docker volume create --label a=b ww >/dev/null; docker volume create >/dev/null; docker volume prune -f | sed 's/^[0-9a-f]\\{64\\}$/ANON/'; docker volume ls -q; docker volume prune -af --filter label=a=b; docker volume ls -q; docker volume prune -f --filter all=1; docker volume ls -q`,
  ),
  same(
    'volume prune refuses in words',
    `docker volume prune -f --filter nope=x; docker volume prune -af --filter all=1; docker volume prune -f --filter all=x; docker volume prune x; echo $?`,
  ),
  same(
    'volume prune answered',
    'docker volume create vv; docker volume prune; docker volume prune -a; docker volume ls -q',
    {
      stdin: 'y\nY\n',
    },
  ),
  same(
    'a volume in use is kept',
    'docker create --name cc -v vv:/v -v /anon $IMAGE true >/dev/null; docker volume prune -af; docker volume ls -q | wc -l; docker rm cc >/dev/null; docker volume prune -f | wc -l',
  ),
  same(
    'network prune with filters',
    `docker network create --label a=b nn >/dev/null; docker network create mm >/dev/null; docker create --name cc --network mm $IMAGE true >/dev/null; docker network prune -f --filter until=1h; docker network prune -f --filter label=a=b; docker network prune -f; docker network ls -q --filter type=custom | wc -l; docker network prune -f --filter nope=x; docker network prune -f --filter until=x; echo $?`,
  ),
  same(
    'network prune answered',
    'docker network create nn >/dev/null; docker network prune; docker network ls -q -f type=custom',
    {
      stdin: 'y\n',
    },
  ),
  same(
    'system prune says what it will do',
    `mkdir -p $DOCKER_CONFIG; docker system prune --filter label=x --filter label!=y; docker system prune --filter until=24h; docker system prune -a --volumes; echo $?`,
    { stdin: 'n\nn\nn\n' },
  ),
  same(
    'system prune answered with yes',
    `${stopped}docker network create nn >/dev/null; docker volume create vv >/dev/null; docker system prune --filter label!=keep; docker ps -aq; docker volume ls -q`,
    { stdin: 'y\n' },
  ),
  same(
    'system prune --volumes takes anonymous volumes',
    `docker volume create vv >/dev/null; docker volume create >/dev/null; docker create --name cc $IMAGE true >/dev/null; docker system prune -f --volumes | sed 's/^[0-9a-f]\\{64\\}$/ID/'; docker volume ls -q`,
  ),
  same(
    'system prune refuses in words',
    `docker system prune --volumes --filter until=1h; docker system prune -f --filter until=x; docker system prune -f --filter nope=x; docker system prune x; echo $?`,
  ),
]
