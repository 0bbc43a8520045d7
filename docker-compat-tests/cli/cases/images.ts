/** Images: list, tag, save, load, import, history, remove. */
import { same } from './case.ts'

export const imageCases = [
  same(
    'images lists names',
    'docker images; docker images -q; docker images --no-trunc --format "{{.Repository}}:{{.Tag}}"',
  ),
  same(
    'images filters by reference',
    'docker images $IMAGE; docker images nosuch; docker images -f reference=$IMAGE -q',
  ),
  same('images --digests shows digests', 'docker images --digests'),
  same(
    'images --tree shows platforms',
    'docker tag $IMAGE registry.example/a/b:c; docker create --name tt $IMAGE true >/dev/null; docker images --tree; docker image ls --tree $IMAGE; docker rmi registry.example/a/b:c',
  ),
  same(
    'images --tree refuses other forms',
    'docker images --tree -q; docker images --tree --no-trunc; docker images --tree --digests; docker images --tree --format x; echo $?',
  ),
  same(
    'tag adds a name and rmi takes it away',
    'docker tag $IMAGE other:1; docker images other; docker rmi other:1; docker images other',
  ),
  same(
    'tag refuses bad names',
    'docker tag $IMAGE BAD; docker tag nosuch x; docker tag $IMAGE a@sha256:0000000000000000000000000000000000000000000000000000000000000000',
  ),
  same('rmi of an image in use is refused', 'docker create --name cc $IMAGE true >/dev/null; docker rmi $IMAGE'),
  same('rmi of what is missing', 'docker rmi nosuch; docker rmi -f nosuch; echo $?'),
  same(
    'save and load',
    'docker tag $IMAGE s:1; docker save s:1 -o i.tar; docker rmi s:1 >/dev/null; docker load -i i.tar; docker load -q <i.tar; docker rmi s:1 >/dev/null',
  ),
  same(
    'save refuses what is missing',
    'docker save nosuch | wc -c; docker save -o nodir/x $IMAGE; docker save -o /dev/null $IMAGE; echo $?',
  ),
  same('load refuses what is missing', 'docker load -i nosuch'),
  same(
    'import makes an image',
    'mkdir r; echo 1 >r/f; tar cc -C r . >r.tar; docker import -c "CMD true" -m text r.tar imp:1; docker history imp:1 --format "{{.Comment}} {{.CreatedBy}}"; cat r.tar | docker import - imp:2 | wc -c; docker rmi imp:1 imp:2 | wc -l',
  ),
  same(
    'commit makes an image',
    'docker run --name cc $IMAGE touch /new; docker commit -m text -a me -c "ENV A=1" cc com:1 | cut -c1-7; docker image inspect -f "{{.Comment}} {{.Author}} {{.Config.Env}}" com:1; docker rmi com:1 | grep Untagged',
  ),
  same(
    'history shows steps',
    'docker history $IMAGE; docker history -q --no-trunc $IMAGE; docker history -H=false --format "{{.Size}}" $IMAGE',
  ),
  same('image inspect shows raw JSON', 'docker image inspect $IMAGE'),
  same('image prune asks and prunes', 'docker image prune -f; docker image prune', { stdin: 'n\n' }),
  same('pulls of bad names', 'docker pull BAD; docker pull a:b:c; docker pull -a $IMAGE:latest'),
  same('run of a missing image without pulling', 'docker run --pull never nosuch; docker create --pull never nosuch'),
]
