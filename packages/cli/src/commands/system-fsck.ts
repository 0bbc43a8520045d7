/** `system fsck`: holds what the daemon recorded against what is on its disk. */
import { defineCommand, noArguments } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { alignTabs, TABLE } from '../format/tabs.ts'
import { humanSize } from '../format/units.ts'
import { bool, string } from '../options/flags.ts'

interface Measured {
  Files: number
  SizeBytes: number
  DiskBytes: number
}

interface DiskCheck {
  Owners: (Measured & { Kind: string; Owners: number })[]
  Total: Measured
  Problems: {
    Kind: string
    Path: string
    Owner: string
    OwnerID: string
    SizeBytes: number
    Detail: string
    Repaired: boolean
  }[]
}

export default defineCommand({
  usage: '[OPTIONS]',
  short: "Check the daemon's files against its records",
  long: 'Check that each file of the daemon has an owner, and each record its files.\nEnds with 1 when a problem is left.',
  args: noArguments,
  flags: {
    format: string('', '"json" prints the whole answer'),
    repair: bool('', 'Remove what nothing owns or needs, and make records follow the disk'),
    verify: bool('', 'Read every image blob and check its digest'),
  },
  async run({ cli, flags }) {
    if (flags.format !== '' && flags.format !== 'json') throw new ExitError(1, `unknown format: ${flags.format}`)
    const api = await cli.api()
    const query = { verify: flags.verify ? 1 : undefined }
    const check = await api.json<DiskCheck>(flags.repair ? 'POST' : 'GET', '/system/fsck', { query })
    cli.out(flags.format === 'json' ? `${JSON.stringify(check)}\n` : report(check))
    if (check.Problems.some(({ Repaired }) => !Repaired)) throw new ExitError(1)
  },
})

function report({ Owners, Total, Problems }: DiskCheck): string {
  const row = (kind: string, owners: string, { Files, SizeBytes, DiskBytes }: Measured) => [
    ...[kind, owners, String(Files), humanSize(SizeBytes), humanSize(DiskBytes)],
  ]
  const rows = [
    ['OWNER', 'COUNT', 'FILES', 'SIZE', 'ON DISK'],
    ...Owners.map((usage) => row(usage.Kind, usage.Owners === 0 ? '' : String(usage.Owners), usage)),
    row('total', '', Total),
  ]
  const ledger = alignTabs(rows.map((cells) => `${cells.join('\t')}\n`).join(''), TABLE)
  const lines = Problems.map((problem) => {
    const where = [problem.Owner, problem.OwnerID, problem.Path].filter((text) => text !== '').join(' ')
    return `${problem.Repaired ? 'repaired: ' : ''}${problem.Kind}: ${where}: ${problem.Detail}\n`
  })
  const left = Problems.filter(({ Repaired }) => !Repaired).length
  const verdict =
    Problems.length === 0 ? 'No problems.' : `${Problems.length} problems, ${Problems.length - left} repaired.`
  return `${ledger}\n${lines.join('')}${verdict}\n`
}
