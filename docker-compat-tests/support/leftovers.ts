/** Looks for what a daemon could leave on the machine: mounts, namespaces, links, rules, cgroups, processes. */
import { execFileSync } from 'node:child_process'
import { globSync, readdirSync, readFileSync } from 'node:fs'

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

function processes(directory: string): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return command.includes(`${directory}/`) ? [`process ${pid}: ${command}`] : []
      } catch {
        return []
      }
    })
}

function links(bridge: string): string[] {
  const all = JSON.parse(execFileSync('ip', ['-j', 'link', 'show'], { encoding: 'utf8' })) as {
    ifname: string
    master?: string
  }[]
  return all.filter((link) => link.master === bridge).map((link) => `link ${link.ifname}`)
}

function containerIds(directory: string): string[] {
  try {
    return readdirSync(`${directory}/data/containers`)
  } catch {
    return []
  }
}

function look({ directory, bridge }: { directory: string; bridge: string }): string[] {
  const mounts = lines(readFileSync('/proc/self/mountinfo', 'utf8')).filter((line) => line.includes(` ${directory}/`))
  const ids = containerIds(directory)
  const cgroups = ids.flatMap((id) => globSync([`/sys/fs/cgroup/**/docker/${id}*`, `/sys/fs/cgroup/**/*${id}.scope`]))
  return [
    ...mounts.map((line) => `mount ${line}`),
    ...links(bridge),
    ...ids.map((id) => `container directory ${id}`),
    ...cgroups.map((path) => `cgroup ${path}`),
    ...processes(directory),
  ]
}

/** What is left; the kernel removes links and cgroups a moment after their last user, so up to five seconds are given. */
export async function leftovers(of: { directory: string; bridge: string }): Promise<string[]> {
  for (const deadline = Date.now() + 5_000; ; ) {
    const left = look(of)
    if (left.length === 0 || Date.now() > deadline) return left
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
