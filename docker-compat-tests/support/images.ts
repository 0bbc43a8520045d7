/** A small image made on the spot from Debian's static busybox, and the way to put it into an engine. */
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path)) ?? '/bin/busybox'

/**
 * A tar of a root filesystem: busybox with all its links, passwd and group, a user `user` (1000). It goes with the process at the latest.
 * Two made in the same second are the same, unless they say something else in `/etc/motd`.
 */
export function busyboxRootfs(motd = ''): string {
  const directory = mkdtempSync(join(tmpdir(), 'dts-rootfs-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const root = join(directory, 'root')
  for (const path of ['bin', 'etc', 'tmp', 'root', 'home/user', 'usr', 'var/www'])
    mkdirSync(join(root, path), { recursive: true })
  copyFileSync(busybox, join(root, 'bin/busybox'))
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n')) {
    if (applet && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet))
  }
  symlinkSync('../bin', join(root, 'usr/bin'))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:User:/home/user:/bin/sh\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n')
  if (motd !== '') writeFileSync(join(root, 'etc/motd'), motd)
  const tar = join(directory, 'rootfs.tar')
  execFileSync('tar', ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '-C', root, '-cf', tar, '.'])
  rmSync(root, { recursive: true })
  return tar
}

/** Imports a rootfs tar as `name` with `CMD ["sh"]`; answers the image's id. */
export async function importImage(socket: string, tar: string, name: string): Promise<string> {
  const [repository, tag = 'latest'] = name.split(':')
  const query = new URLSearchParams({ fromSrc: '-', repo: repository ?? '', tag })
  query.append('changes', 'CMD ["sh"]')
  const text = await new Promise<string>((resolve, reject) => {
    const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': statSync(tar).size }
    const post = request(
      { socketPath: socket, method: 'POST', path: `/images/create?${query}`, headers, agent: false },
      (response) => {
        let body = ''
        response.on('data', (chunk) => {
          body += chunk
        })
        response.on('end', () => resolve(body))
        response.on('error', reject)
      },
    )
    post.on('error', reject)
    createReadStream(tar).pipe(post)
  })
  const id = /sha256:[0-9a-f]{64}/.exec(text)?.[0]
  if (!id) throw new Error(`import failed: ${text}`)
  return id
}
