/** Registries: push, pull, login, logout, search, manifest. `$REGISTRY` is open, `$SECURED` asks for alice's password. */
import { same } from './case.ts'

const login = 'echo s3cret | docker login -u alice --password-stdin $SECURED'
const pushed =
  'docker tag $IMAGE $REGISTRY/app:1; docker tag $IMAGE $REGISTRY/app:2; docker push -q $REGISTRY/app:1; docker push -q $REGISTRY/app:2; docker rmi $REGISTRY/app:1 $REGISTRY/app:2 >/dev/null; '
// The other client has pushed the same layers before.
const there = "there='s/Pushed$|Layer already exists|Mounted from.*/there/'; "
const forget =
  'docker images -q --filter "reference=$REGISTRY/*" | wc -l; docker images --format "{{.Repository}}:{{.Tag}}" "$REGISTRY/*" | xargs -r docker rmi >/dev/null'

export const registryCases = [
  same(
    'push of one tag, again, and quietly',
    `${there}docker tag $IMAGE $REGISTRY/app:1; docker push $REGISTRY/app:1 | sed -E "$there" | sort; docker push $REGISTRY/app:1; docker push -q $REGISTRY/app:1; docker tag $IMAGE $REGISTRY/app; docker push $REGISTRY/app | head -1; docker push -q $REGISTRY/app; ${forget}`,
  ),
  same(
    'push of all tags',
    `${there}docker tag $IMAGE $REGISTRY/many:1; docker tag $IMAGE $REGISTRY/many:2; docker push -a $REGISTRY/many | sed -E "$there" | sort | uniq; docker push -aq $REGISTRY/many; docker push -a $REGISTRY/many:1; ${forget}`,
  ),
  same(
    'push refuses in words',
    `docker push $REGISTRY/nosuch; docker push $REGISTRY/nosuch:1; docker push -a $REGISTRY/nosuch; docker push BAD; docker push $REGISTRY/a@sha256:0000000000000000000000000000000000000000000000000000000000000000; docker push --platform nope/x $REGISTRY/x; docker push --platform nope $REGISTRY/x; docker push --platform a/b/c/d $REGISTRY/x; docker push; echo $?`,
  ),
  same(
    'pull of one tag, again, and quietly',
    `${pushed}docker pull $REGISTRY/app:1 | sort; docker pull $REGISTRY/app:1; docker pull -q $REGISTRY/app:1; docker pull -q $REGISTRY/app:2; ${forget}`,
  ),
  same(
    'pull by digest',
    `${pushed}d=$(docker pull $REGISTRY/app:1 | sed -n 's/Digest: //p'); docker pull $REGISTRY/app@$d; docker images --digests --format '{{.Tag}} {{.Digest}}' $REGISTRY/app; docker pull $REGISTRY/app:1@$d; docker pull $REGISTRY/app@sha256:0000000000000000000000000000000000000000000000000000000000000000; docker rmi $REGISTRY/app@$d >/dev/null; ${forget}`,
  ),
  same(
    'pull of all tags',
    `docker tag $IMAGE $REGISTRY/every:1; docker tag $IMAGE $REGISTRY/every:2; docker push -qa $REGISTRY/every; docker rmi $REGISTRY/every:1 $REGISTRY/every:2 >/dev/null; docker pull -a $REGISTRY/every | sort | uniq; docker pull -qa $REGISTRY/every; docker pull -a $REGISTRY/every:1; ${forget}`,
  ),
  same(
    'pull of a platform',
    `${pushed}docker pull -q --platform linux/amd64 $REGISTRY/app:1; docker pull -q --platform linux/s390x $REGISTRY/app:1; docker pull --platform nope $REGISTRY/app:1; docker pull --platform a/b/c/d $REGISTRY/app:1; ${forget}`,
  ),
  same(
    'pull of what is missing',
    'docker pull $REGISTRY/nosuch; docker pull $REGISTRY/nosuch:1; docker pull -q $REGISTRY/nosuch; docker pull -a $REGISTRY/nosuch; docker pull 127.0.0.1:1/x 2>&1 | sed "s/.*: dial/dial/"; docker pull BAD; docker pull; echo $?',
  ),
  same(
    'run and create pull what is missing',
    `${pushed}docker run --rm --network none $REGISTRY/app:1 echo hi 2>&1 | grep -v Pull | grep -v -i digest; docker rmi $REGISTRY/app:1 >/dev/null; docker run -q --rm --network none $REGISTRY/app:1 echo hi; docker run --rm --network none --pull always -q $REGISTRY/app:1 echo hi; docker create --pull always -q --name cc $REGISTRY/app:2 true | wc -c; docker rm cc; docker run --rm $REGISTRY/nosuch true; echo $?; ${forget}`,
  ),
  same(
    'login with a password, and logout',
    `${login}; cat $DOCKER_CONFIG/config.json; docker login $SECURED </dev/null; docker logout $SECURED; docker logout $SECURED; cat $DOCKER_CONFIG/config.json`,
  ),
  same(
    'login refuses in words',
    `echo wrong | docker login -u alice --password-stdin $SECURED; echo x | docker login --password-stdin $SECURED; docker login -u alice -p x --password-stdin $SECURED </dev/null; docker login -u alice $SECURED </dev/null; docker login -p x $SECURED </dev/null; docker login -u alice -p s3cret $SECURED; docker login -u '' -p s3cret $SECURED </dev/null; docker logout $SECURED; echo $?`,
  ),
  same(
    'push and pull want the login',
    `docker tag $IMAGE $SECURED/app:1; docker push -q $SECURED/app:1; ${login} >/dev/null 2>&1; docker push -q $SECURED/app:1; docker rmi $SECURED/app:1 >/dev/null; docker pull -q $SECURED/app:1; docker rmi $SECURED/app:1 >/dev/null; docker logout $SECURED; docker pull -q $SECURED/app:1; docker images -q $SECURED/app | wc -l`,
  ),
  same(
    'search refuses in words',
    'docker search; docker search a b; docker search --limit 1000 x; docker search -f nope=x x; docker search -f stars=x x; docker search --format "{{" x; docker search BAD/; echo $?',
  ),
  same(
    'a list of manifests: create, inspect, annotate, push',
    `${pushed}m='docker manifest'; $m create --insecure $REGISTRY/app:list $REGISTRY/app:1 $REGISTRY/app:2; $m inspect $REGISTRY/app:list; $m annotate --os linux --arch arm64 --variant v8 $REGISTRY/app:list $REGISTRY/app:1; $m inspect $REGISTRY/app:list; $m push --insecure $REGISTRY/app:list; $m inspect --insecure $REGISTRY/app:list; $m inspect --insecure -v $REGISTRY/app:list; $m rm $REGISTRY/app:list; $m push --purge --insecure $REGISTRY/app:list; echo $?`,
  ),
  same(
    'a list of manifests refuses in words',
    `m='docker manifest'; $m create --insecure $REGISTRY/x:list $REGISTRY/nosuch:1; $m create $REGISTRY/x; $m inspect --insecure $REGISTRY/nosuch; $m annotate $REGISTRY/x:list $REGISTRY/app:1; $m push --insecure $REGISTRY/x:list; $m rm $REGISTRY/x:list; $m create BAD x; $m inspect BAD; echo $?`,
  ),
]
