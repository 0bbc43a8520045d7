/** The docker commands that occur in the comparisons of docker and docker-ts. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const client = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))

/** The names that docker-ts lists in the help of a group (of all commands without one). */
function listed(group: readonly string[]): string[] {
  const text = execFileSync(process.execPath, [client, ...group, '--help'], { encoding: 'utf8' })
  const [commands = ''] = text.slice(text.search(/^(Common|Management)? ?Commands:$/m)).split(/^\w*\s*Options:$/m)
  return [...commands.matchAll(/^ {2}([a-z]+)\*? {2,}\S/gm)].map(([, name = '']) => name)
}

/** Every command of docker-ts: `run`, `image ls`. */
export function commandsOfClient(): string[] {
  const top = listed([])
  const help = execFileSync(process.execPath, [client, '--help'], { encoding: 'utf8' })
  const management = /^Management Commands:\n([\s\S]*?)\n\n/m.exec(help)?.[1] ?? ''
  const groups = [...management.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name)
  const inGroups = groups.flatMap((group) => listed([group]).map((name) => `${group} ${name}`))
  return [...top.filter((name) => !groups.includes(name)), ...inGroups]
}

/** Those of `commands` that occur in one of the scripts, in order. */
export function commandsIn(scripts: readonly string[], commands: readonly string[]): string[] {
  const words = scripts.flatMap((script) =>
    [...script.matchAll(/\bdocker ([a-z]+)(?: ([a-z]+))?/g)].flatMap(([, first, second]) => [
      first,
      `${first} ${second}`,
    ]),
  )
  return commands.filter((command) => words.includes(command)).sort()
}
