/** The tables of docs/configuration.md, from the tables of options: `scripts/document-options` writes them there. */
import { declinedOptions } from './declined-options.ts'
import { options } from './options.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|')

export function servedTable(): string {
  const rows = options.map(({ key, flag, short, description, reloadable }) => {
    const names = [...(short ? [`-${short}`] : []), `--${flag}`].map((name) => `\`${name}\``).join(', ')
    return `| \`${key}\` | ${names} | ${cell(description)} | ${reloadable ? 'yes' : ''} |`
  })
  return ['| daemon.json | flag | what it does | SIGHUP |', '|---|---|---|---|', ...rows].join('\n')
}

export function declinedTable(): string {
  const rows = declinedOptions.map(({ key, flag, effect, reason, harmless }) => {
    const silent = (harmless ?? []).map((value) => `\`${value}\``).join(', ')
    return `| \`${key}\` | ${flag ? `\`--${flag}\`` : ''} | ${effect} | ${cell(reason)} | ${silent} |`
  })
  return ['| daemon.json | flag | effect | why | taken in silence |', '|---|---|---|---|---|', ...rows].join('\n')
}

const sections = { served: servedTable, declined: declinedTable } as const

/** The document with its tables as they are now; what lies outside of the marks stays. */
export function withTables(document: string): string {
  return document.replace(
    /<!-- (served|declined) -->[\s\S]*?<!-- end -->/g,
    (_, section: keyof typeof sections) => `<!-- ${section} -->\n${sections[section]()}\n<!-- end -->`,
  )
}
