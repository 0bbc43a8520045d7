/** `load`: loads images from a tar archive. */
import { createReadStream, existsSync } from 'node:fs'
import { isatty } from 'node:tty'
import { compareVersions } from '../client/api-client.ts'
import { defineCommand, noArguments } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { bool, string } from '../options/flags.ts'
import { encodePlatform } from '../options/platform.ts'
import { showProgress } from '../terminal/progress.ts'
import { stdinChunks } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'Load images from a tar archive or standard input',
  aliases: ['docker image load', 'docker load'],
  args: noArguments,
  flags: {
    input: string('i', 'Read from this file in place of standard input'),
    platform: string('', 'Platform to load where an image has several (os[/arch[/variant]])'),
    quiet: bool('q', 'Print names only'),
  },
  async run({ cli, flags }) {
    if (flags.input !== '' && !existsSync(flags.input))
      throw new ExitError(1, `open ${flags.input}: no such file or directory`)
    if (flags.input === '' && isatty(0)) throw new ExitError(1, 'requested load from stdin, but stdin is empty')
    const input =
      flags.input === ''
        ? stdinChunks()
        : (createReadStream(flags.input, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>)
    const api = await cli.api()
    const platform = flags.platform === '' ? undefined : encodePlatform(flags.platform)
    if (platform !== undefined && compareVersions(await api.version(), '1.48') < 0) {
      throw new Error(
        `"platform" requires API version 1.48, but the Docker daemon API version is ${await api.version()}`,
      )
    }
    const quiet = flags.quiet || !isatty(1)
    const reply = await api.request('POST', '/images/load', {
      query: { quiet: quiet ? 1 : 0, platform },
      body: input,
      headers: { 'Content-Type': 'application/x-tar' },
    })
    if (reply.headers['content-type'] === 'application/json') return showProgress(cli, reply.body)
    for await (const chunk of reply.body) cli.out(chunk)
  },
})
