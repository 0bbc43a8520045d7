"""What docker-py's users do, with assertions: prints one JSON line per check for docker-py.test.ts.

usage: docker_py.py SOCKET REGISTRY  (the engine has busybox:latest; the registry has seed:1)
"""
import io
import json
import sys
import tarfile
import time
import traceback

import docker
from docker.errors import APIError, ImageNotFound, NotFound
from docker.types import IPAMConfig, IPAMPool, LogConfig, Mount, Ulimit

SOCKET, REGISTRY = sys.argv[1:3]
IMAGE = 'busybox:latest'
client = docker.DockerClient(base_url=f'unix://{SOCKET}', version='auto', timeout=60)
api = client.api
checks = []


def check(function):
    checks.append(function)
    return function


def equal(found, wanted):
    assert found == wanted, f'found {found!r}, wanted {wanted!r}'


def refused(status, text, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except APIError as error:
        equal(error.status_code, status)
        assert text in error.explanation, error.explanation
        return
    raise AssertionError('not refused')


def run_detached(command, **kwargs):
    return client.containers.run(IMAGE, command, detach=True, **kwargs)


def tar_of(name, content):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w') as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    data.seek(0)
    return data


@check
def system_version_info_ping_df():
    assert client.ping()
    version = client.version()
    equal(version['Os'], 'linux')
    equal(client.info()['ServerVersion'], version['Version'])
    assert set(client.df()) >= {'Images', 'Containers', 'Volumes', 'LayersSize'}


@check
def run_returns_output_and_raises_with_the_exit_code():
    equal(client.containers.run(IMAGE, ['echo', 'hello'], remove=True), b'hello\n')
    try:
        client.containers.run(IMAGE, ['sh', '-c', 'echo oops >&2; exit 3'], remove=True)
    except docker.errors.ContainerError as error:
        equal(error.exit_status, 3)
        equal(error.stderr, b'oops\n')
    else:
        raise AssertionError('no error')


@check
def run_of_a_missing_image_and_program():
    try:
        client.containers.create('no/such:image')
    except ImageNotFound:
        pass
    else:
        raise AssertionError('no error')
    refused(400, 'no such file or directory', client.containers.run, IMAGE, ['/no/such'])
    client.containers.prune()


@check
def create_with_many_options_and_inspect():
    container = client.containers.create(
        IMAGE,
        ['sleep', '1000'],
        name='options',
        environment={'A': '1'},
        labels={'x': 'y'},
        hostname='box',
        user='user',
        working_dir='/tmp',
        mem_limit='64m',
        cpu_shares=512,
        pids_limit=100,
        cap_add=['NET_ADMIN'],
        cap_drop=['MKNOD'],
        dns=['1.1.1.1'],
        extra_hosts={'other': '10.0.0.1'},
        ulimits=[Ulimit(name='nofile', soft=100, hard=200)],
        log_config=LogConfig(type='json-file', config={'max-size': '1m'}),
        restart_policy={'Name': 'on-failure', 'MaximumRetryCount': 3},
        tmpfs={'/scratch': 'size=1m'},
        mounts=[Mount(target='/data', source='mounted', type='volume')],
        sysctls={'net.ipv4.ip_forward': '0'},
        shm_size='32m',
        init=False,
        read_only=True,
        network_mode='none',
    )
    host = container.attrs['HostConfig']
    equal(host['Memory'], 64 * 1024 * 1024)
    equal(host['CapAdd'], ['NET_ADMIN'])
    equal(host['Ulimits'], [{'Name': 'nofile', 'Hard': 200, 'Soft': 100}])
    equal(host['LogConfig'], {'Type': 'json-file', 'Config': {'max-size': '1m'}})
    equal(host['ShmSize'], 32 * 1024 * 1024)
    equal(host['ExtraHosts'], ['other:10.0.0.1'])
    equal(container.attrs['Mounts'][0]['Name'], 'mounted')
    container.start()
    equal(container.exec_run(['sh', '-c', 'echo $A $PWD $(id -u) $(hostname) $(ulimit -n)']).output,
          b'1 /tmp 1000 box 100\n')
    container.remove(force=True)
    client.volumes.get('mounted').remove()


@check
def lifecycle_with_events():
    container = run_detached(['sleep', '1000'], name='lively')
    equal(container.status, 'created')
    container.reload()
    equal(container.status, 'running')
    container.pause()
    container.reload()
    equal(container.status, 'paused')
    container.unpause()
    container.rename('renamed')
    container.restart(timeout=0)
    equal(client.containers.get('renamed').status, 'running')
    container.kill('SIGKILL')
    equal(container.wait()['StatusCode'], 137)
    refused(409, 'is not running', container.kill)
    container.start()
    container.stop(timeout=0)
    container.remove()
    try:
        client.containers.get(container.id)
    except NotFound as error:
        equal(error.explanation, f'No such container: {container.id}')
    else:
        raise AssertionError('still there')


@check
def wait_for_removal():
    container = client.containers.create(IMAGE, ['sh', '-c', 'exit 4'], auto_remove=True)
    container.start()
    equal(container.wait(condition='removed')['StatusCode'], 4)


@check
def logs_plain_stream_tail_since():
    container = run_detached(['sh', '-c', 'for i in 1 2 3; do echo $i; done'])
    container.wait()
    equal(container.logs(), b'1\n2\n3\n')
    equal(container.logs(tail=1), b'3\n')
    equal(b''.join(container.logs(stream=True, follow=True)), b'1\n2\n3\n')
    equal(container.logs(stdout=False), b'')
    equal(container.logs(since=2000000000), b'')
    equal(container.logs(until=1), b'')
    assert container.logs(timestamps=True).startswith(b'20')
    container.remove()


@check
def attach_streams_live_output():
    container = client.containers.create(IMAGE, ['sh', '-c', 'read x; echo got $x; echo err >&2'], stdin_open=True)
    socket = container.attach_socket(params={'stdin': 1, 'stream': 1})
    output = container.attach(stream=True, demux=True)
    container.start()
    socket._sock.sendall(b'word\n')
    parts = list(output)
    equal(b''.join(out for out, _ in parts if out), b'got word\n')
    equal(b''.join(err for _, err in parts if err), b'err\n')
    socket.close()
    container.wait()
    container.remove()


@check
def exec_run_in_all_its_forms():
    container = run_detached(['sleep', '1000'])
    equal(tuple(container.exec_run(['sh', '-c', 'echo hi; exit 2'])), (2, b'hi\n'))
    equal(tuple(container.exec_run(['sh', '-c', 'echo o; echo e >&2'], demux=True).output), (b'o\n', b'e\n'))
    equal(container.exec_run(['id', '-un'], user='user', environment={'A': '1'}, workdir='/tmp').output, b'user\n')
    equal(b''.join(container.exec_run(['echo', 'streamed'], stream=True).output), b'streamed\n')
    equal(container.exec_run(['sh', '-c', 'tty >/dev/null && echo terminal'], tty=True).output, b'terminal\r\n')
    container.exec_run(['touch', '/mark'], detach=True)
    exec_id = api.exec_create(container.id, ['wc', '-c'], stdin=True)['Id']
    socket = api.exec_start(exec_id, socket=True)
    socket._sock.sendall(b'12345')
    socket._sock.shutdown(1)
    equal(socket.read(8 + 2)[8:], b'5\n')
    socket.close()
    exec_id = api.exec_create(container.id, ['sh', '-c', 'sleep 0.3; stty size'], tty=True)['Id']
    stream = api.exec_start(exec_id, tty=True, stream=True)
    api.exec_resize(exec_id, height=20, width=70)
    equal(b''.join(stream), b'20 70\r\n')
    equal(api.exec_inspect(exec_id)['ExitCode'], 0)
    container.remove(force=True)


@check
def top_stats_update_resize():
    container = run_detached(['sleep', '1000'], mem_limit='64m', memswap_limit='64m', tty=True)
    equal(container.top(ps_args='o pid,comm')['Titles'], ['PID', 'COMMAND'])
    assert container.stats(stream=False)['memory_stats']['usage'] > 0
    equal(next(container.stats(decode=True))['id'], container.id)
    container.update(mem_limit='32m', memswap_limit='32m')
    container.reload()
    equal(container.attrs['HostConfig']['Memory'], 32 * 1024 * 1024)
    container.resize(30, 90)
    equal(container.exec_run(['stat', '-c', '%F', '/dev/pts/0']).exit_code, 0)
    container.remove(force=True)


@check
def list_with_filters_and_prune():
    container = client.containers.create(IMAGE, name='listed', labels={'a': 'b'})
    equal([c.id for c in client.containers.list(all=True, filters={'label': 'a=b'})], [container.id])
    equal([c.id for c in client.containers.list(all=True, filters={'status': 'created', 'name': 'listed'})],
          [container.id])
    equal(client.containers.list(filters={'label': 'a=b'}), [])
    refused(400, "invalid filter 'nonsense'", client.containers.list, filters={'nonsense': 'x'})
    equal(client.containers.prune(filters={'label': ['a=b']})['ContainersDeleted'], [container.id])


@check
def published_ports():
    container = run_detached(['sleep', '1000'], ports={'80/tcp': ('127.0.0.1', None), '81/udp': None})
    container.reload()
    equal(container.ports['80/tcp'][0]['HostIp'], '127.0.0.1')
    assert int(container.ports['81/udp'][0]['HostPort']) > 0
    equal(api.port(container.id, 80), container.ports['80/tcp'])
    container.remove(force=True)


@check
def volumes():
    volume = client.volumes.create('py', labels={'k': 'v'})
    equal(volume.attrs['Labels'], {'k': 'v'})
    client.containers.run(IMAGE, ['sh', '-c', 'echo kept >/v/f'], volumes={'py': {'bind': '/v', 'mode': 'rw'}},
                          remove=True)
    equal(client.containers.run(IMAGE, ['cat', '/v/f'], volumes=['py:/v:ro'], remove=True), b'kept\n')
    equal([v.name for v in client.volumes.list(filters={'label': 'k=v'})], ['py'])
    holder = client.containers.create(IMAGE, volumes=['py:/v'])
    refused(409, f'remove py: volume is in use - [{holder.id}]', volume.remove)
    holder.remove()
    volume.remove()
    client.volumes.create()
    equal(len(client.volumes.prune()['VolumesDeleted']), 1)


@check
def networks():
    equal(sorted(n.name for n in client.networks.list()), ['bridge', 'host', 'none'])
    pool = IPAMPool(subnet='10.214.78.0/24', gateway='10.214.78.1')
    network = client.networks.create('pynet', ipam=IPAMConfig(pool_configs=[pool]), labels={'n': '1'}, driver='bridge')
    equal(network.attrs['IPAM']['Config'][0]['Subnet'], '10.214.78.0/24')
    container = run_detached(['sleep', '1000'], name='joined', network='pynet')
    container.reload()
    equal(list(container.attrs['NetworkSettings']['Networks']), ['pynet'])
    network.disconnect(container)
    network.connect(container, aliases=['alias'], ipv4_address='10.214.78.50')
    container.reload()
    equal(container.attrs['NetworkSettings']['Networks']['pynet']['IPAddress'], '10.214.78.50')
    network.reload()
    equal([c.name for c in network.containers], ['joined'])
    refused(403, 'has active endpoints', network.remove)
    container.remove(force=True)
    network.remove()
    client.networks.create('unused')
    equal(client.networks.prune()['NetworksDeleted'], ['unused'])


@check
def events_are_decoded():
    container = client.containers.create(IMAGE, name='watched')
    container.remove()
    now = int(time.time())
    found = list(client.events(since=now - 60, until=now + 1, decode=True,
                               filters={'container': 'watched', 'type': 'container'}))
    equal([event['Action'] for event in found], ['create', 'destroy'])


@check
def images_pull_tag_history_save_load_remove():
    image = client.images.pull(f'{REGISTRY}/seed', tag='1')
    equal(image.tags, [f'{REGISTRY}/seed:1'])
    assert image.tag('local/seed', tag='2')
    image.reload()
    assert 'local/seed:2' in image.tags
    assert len(image.history()) >= 1
    saved = b''.join(image.save(named=True))
    client.images.remove('local/seed:2')
    client.images.remove(f'{REGISTRY}/seed:1')
    loaded = client.images.load(saved)
    equal([i.id for i in loaded], [image.id])
    equal(client.images.get_registry_data(f'{REGISTRY}/seed:1').attrs['Descriptor']['digest'][:7], 'sha256:')
    lines = list(api.pull(f'{REGISTRY}/seed', tag='1', stream=True, decode=True))
    assert lines[-1]['status'].startswith('Status: '), lines[-1]
    for tag in client.images.get(image.id).tags:
        client.images.remove(tag, force=True)
    try:
        client.images.get('no/such')
    except ImageNotFound as error:
        equal(error.explanation, 'No such image: no/such:latest')
    else:
        raise AssertionError('found')
    try:
        client.images.pull(f'{REGISTRY}/seed', tag='none')
    except NotFound as error:
        assert 'manifest unknown' in error.explanation
    else:
        raise AssertionError('pulled')


@check
def images_import_and_prune():
    result = api.import_image_from_data(tar_of('f', b'x').getvalue(), repository='py/imported', tag='1')
    assert 'sha256:' in result
    equal(client.images.list(name='py/imported')[0].tags, ['py/imported:1'])
    client.images.remove('py/imported:1')
    equal(client.images.prune()['ImagesDeleted'], None)


@check
def copy_files_in_and_out():
    container = run_detached(['sleep', '1000'])
    assert container.put_archive('/tmp', tar_of('note', b'written'))
    equal(container.exec_run(['cat', '/tmp/note']).output, b'written')
    stream, stat = container.get_archive('/tmp/note')
    equal(stat['name'], 'note')
    equal(stat['size'], 7)
    with tarfile.open(fileobj=io.BytesIO(b''.join(stream))) as tar:
        equal(tar.extractfile('note').read(), b'written')
    refused(404, 'Could not find the file /none in container', container.get_archive, '/none')
    container.remove(force=True)


@check
def changes_export_commit():
    container = client.containers.run(IMAGE, ['sh', '-c', 'echo x >/new; rm /etc/group'], detach=True)
    container.wait()
    found = {(change['Path'], change['Kind']) for change in container.diff()}
    assert {('/new', 1), ('/etc', 0), ('/etc/group', 2)} <= found, found
    with tarfile.open(fileobj=io.BytesIO(b''.join(container.export()))) as tar:
        assert 'new' in tar.getnames() and 'etc/group' not in tar.getnames()
    image = container.commit('py/committed', tag='1', message='m', author='a', changes=['ENV X=1'])
    equal(image.attrs['Comment'], 'm')
    equal(client.containers.run('py/committed:1', ['sh', '-c', 'cat /new; echo $X'], remove=True), b'x\n1\n')
    container.remove()
    client.images.remove('py/committed:1')


@check
def what_the_engine_is_not():
    refused(503, 'This node is not a swarm manager', client.services.list)
    equal(client.plugins.list(), [])


def clean():
    for container in client.containers.list(all=True):
        container.remove(force=True)


def main():
    for function in checks:
        line = {'name': function.__name__.replace('_', ' ')}
        try:
            function()
        except Exception:
            line['error'] = traceback.format_exc()[-2000:]
            clean()
        print(json.dumps(line), flush=True)


main()
