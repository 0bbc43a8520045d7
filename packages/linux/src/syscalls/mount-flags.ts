/** Names of mount flags (mount(2) without MS_, lower case) and the numbers that the kernel gives them. */

const mountFlags: Readonly<Record<string, bigint>> = {
  rdonly: 1n << 0n,
  nosuid: 1n << 1n,
  nodev: 1n << 2n,
  noexec: 1n << 3n,
  synchronous: 1n << 4n,
  remount: 1n << 5n,
  mandlock: 1n << 6n,
  dirsync: 1n << 7n,
  nosymfollow: 1n << 8n,
  noatime: 1n << 10n,
  nodiratime: 1n << 11n,
  bind: 1n << 12n,
  move: 1n << 13n,
  rec: 1n << 14n,
  silent: 1n << 15n,
  unbindable: 1n << 17n,
  private: 1n << 18n,
  slave: 1n << 19n,
  shared: 1n << 20n,
  relatime: 1n << 21n,
  strictatime: 1n << 24n,
  lazytime: 1n << 25n,
}

/** Throws TypeError for a name that mount(2) does not know. */
export function mountFlagBits(names: readonly string[]): bigint {
  return names.reduce((bits, name) => {
    const bit = mountFlags[name]
    if (bit === undefined) throw new TypeError(`unknown mount flag ${name}`)
    return bits | bit
  }, 0n)
}
