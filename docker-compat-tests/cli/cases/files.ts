/** Files of containers: cp in all its forms, diff, export, commit, import. */
import { same } from './case.ts'

const created = 'docker create --name cc $IMAGE true >/dev/null; '

export const fileCases = [
  same(
    'cp says what it copied, unless it is told to be quiet',
    `${created}echo data >f; docker cp f cc:/tmp/; docker cp -q f cc:/tmp/g; docker cp cc:/tmp/f h; docker cp --quiet cc:/tmp/f i; ls`,
  ),
  same(
    'cp into a directory, under a new name, over a file',
    `${created}echo 1 >f; echo 2 >g; mkdir d; docker cp f cc:/tmp; docker cp f cc:/tmp/n; docker cp g cc:/tmp/n; docker cp cc:/tmp/n d; docker cp cc:/tmp/f d/m; docker cp cc:/tmp/f d/n; head d/*`,
  ),
  same(
    'cp of directories knows their content from themselves',
    `${created}mkdir -p s/a t; echo 1 >s/a/f; docker cp s cc:/tmp/new; docker cp s cc:/tmp/new; docker cp s/. cc:/tmp/new; docker cp s/ cc:/tmp/; docker cp cc:/tmp/. t; find t | sort`,
  ),
  same(
    'cp -a keeps owners, cp gives root',
    `${created}echo 1 >f; chown 1000:1000 f; docker cp -a f cc:/tmp/kept; docker cp f cc:/tmp/given; docker cp cc:/tmp - | tar tv --numeric-owner | grep -E "kept|given" | awk '{print $1, $2, $NF}'; docker cp -a cc:/tmp/kept k; docker cp cc:/tmp/kept l; stat -c "%u:%g" k l`,
  ),
  same(
    'cp keeps modes, links, and times',
    `${created}mkdir d; echo 1 >d/x; chmod 4755 d/x; ln d/x d/y; ln -s /nowhere d/z; touch -d 2001-02-03T04:05:06 d/x; docker cp d cc:/tmp; docker cp cc:/tmp/d out; stat -c "%n %a %h %F %Y" out/x out/y; readlink out/z`,
  ),
  same(
    'cp of links: itself, or with -L what it names',
    `${created}mkdir real; echo 1 >real/f; ln -s real link; docker cp link cc:/tmp/; docker cp -L link cc:/tmp/followed; docker cp cc:/tmp - | tar t | sort; docker cp cc:/usr/bin/sh x 2>&1; docker cp cc:/usr/bin b; docker cp -L cc:/usr/bin c 2>&1 | head -1; readlink b; test -d c && echo directory`,
  ),
  same(
    'cp - reads archives and writes them',
    `${created}mkdir d; echo 1 >d/f; tar c d | docker cp - cc:/tmp; docker cp cc:/tmp/d - | tar t; docker cp cc:/tmp/d/f - | tar xO; tar c d | docker cp - cc:/nodir; echo no archive | docker cp - cc:/tmp; docker cp - cc:/tmp </dev/null; echo $?`,
  ),
  same(
    'cp refuses in words',
    `${created}touch f; mkdir d; docker cp f cc:/etc/passwd/x; docker cp f cc:/nodir/; docker cp d cc:/etc/passwd; docker cp cc:/nosuch/x .; docker cp cc:/tmp/. nodir/sub; docker cp f nosuch:/tmp; docker cp nosuch cc:/tmp; docker cp - -; docker cp cc:/tmp cc:/etc; docker cp f d; docker cp "" cc:/tmp; docker cp f cc:; docker cp cc: x; echo $?`,
    { ignore: /level=error/ },
  ),
  same(
    'cp with a running container, and into its tmpfs',
    'docker run -d --network none --name cc --tmpfs /t $IMAGE sleep 100 >/dev/null; echo 1 >f; docker cp f cc:/tmp/f; docker exec cc cat /tmp/f; docker exec cc sh -c "echo 2 >/tmp/g"; docker cp cc:/tmp/g g; cat g; docker cp f cc:/proc/nosuch 2>&1 | wc -l',
  ),
  same(
    'diff tells added, changed, deleted',
    `docker run --network none --name cc $IMAGE sh -c 'mkdir /d; echo 1 >/d/f; echo x >>/etc/passwd; rm /etc/group; ln -s x /l'; docker diff cc | sort; docker container diff cc | wc -l; docker diff nosuch; docker diff ""; echo $?`,
  ),
  same('diff of an untouched container is empty', `${created}docker diff cc; echo $?`),
  same(
    'export to a file and to standard output',
    `${created}docker export cc >a.tar; docker export -o b.tar cc; docker container export --output=c.tar cc; for f in a b c; do tar tf $f.tar | grep -c ^bin/; done; docker export -o nodir/x cc; docker export -o /dev/null cc; docker export nosuch | wc -c; docker export -o d.tar nosuch; ls`,
  ),
  same(
    'export to a terminal is refused',
    `${created}script -qec 'docker export cc' /dev/null </dev/null; echo $?; script -qec 'docker save $IMAGE' /dev/null </dev/null; echo $?`,
  ),
  same(
    'commit records author, message and changes',
    `${created}docker commit -a me -m text -c 'CMD ["a","b"]' -c 'ENV A=1 B=2' -c 'EXPOSE 80' -c 'LABEL x=y' -c 'WORKDIR /w' -c 'USER u' -c 'VOLUME /v' -c 'ENTRYPOINT e' -c 'STOPSIGNAL 9' -c 'HEALTHCHECK NONE' cc com:1 >id; wc -c <id; docker image inspect -f '{{.Author}} {{.Comment}} {{json .Config}}' com:1; docker history --format '{{.CreatedBy}}|{{.Comment}}' com:1; docker rmi com:1 | grep Untagged`,
  ),
  same(
    'commit with and without a name, paused or not',
    `docker run -d --network none --name cc $IMAGE sleep 100 >/dev/null; a=$(docker commit cc); b=$(docker commit -p=false cc com:2); docker images -q com | wc -l; docker image inspect -f '{{.RepoTags}} {{.Config.Cmd}}' $a $b; docker rmi $a com:2 | wc -l`,
  ),
  same(
    'commit refuses in words',
    `${created}docker commit nosuch; docker commit cc BAD; docker commit cc a:b:c; docker commit -c 'FROM x' cc; docker commit -c 'NOSUCH x' cc; docker commit -c 'ENV' cc; docker commit -c 'EXPOSE x' cc; docker commit cc a@sha256:0000000000000000000000000000000000000000000000000000000000000000; docker commit cc x y; echo $?`,
  ),
  same(
    'import from a file, from standard input, and what it refuses',
    `mkdir r; echo 1 >r/f; tar cC r . >r.tar; docker import r.tar | wc -c; docker import -m text -c 'CMD x' -c 'ENV A=b' r.tar imp:1 | wc -c; gzip -k r.tar; docker import - imp:2 <r.tar.gz | wc -c; docker image inspect -f '{{.Comment}} {{.Config.Cmd}} {{.Config.Env}} {{.Os}}' imp:1 imp:2; docker import nosuch.tar; docker import r.tar BAD; docker import -c 'FROM x' r.tar; docker import --platform plan9/x r.tar; docker rmi imp:1 imp:2 | wc -l; docker image prune -f | wc -l`,
  ),
]
