/** `import`: makes an image from a tar archive of a filesystem. */
import { createReadStream, existsSync } from 'node:fs'
import { between, defineCommand } from '../command.ts'
import { list, string } from '../options/flags.ts'
import { parseReference } from '../options/reference.ts'
import { showProgress } from '../terminal/progress.ts'
import { stdinChunks } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  short: 'Make an image from a tar archive of a filesystem',
  aliases: ['docker image import', 'docker import'],
  args: between(1, Number.POSITIVE_INFINITY),
  flags: {
    change: list('c', 'Dockerfile instruction to apply'),
    message: string('m', 'Message to keep with the image'),
    platform: string('', 'Platform of the image', process.env.DOCKER_DEFAULT_PLATFORM ?? ''),
  },
  async run({ cli, args, flags }) {
    const [source = '', repository = ''] = args
    if (repository !== '') parseReference(repository)
    let from = source
    let body: AsyncIterable<Buffer> | undefined
    if (source === '-') body = stdinChunks()
    else if (!/^(https?|ftp):\/\//.test(source)) {
      if (!existsSync(source)) throw new Error(`open ${source}: no such file or directory`)
      from = '-'
      body = createReadStream(source, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>
    }
    const query = {
      fromSrc: from,
      repo: repository,
      message: flags.message || undefined,
      changes: flags.change.length > 0 ? flags.change : undefined,
      platform: flags.platform ? flags.platform.toLowerCase() : undefined,
    }
    const reply = await (await cli.api()).request('POST', '/images/create', { query, body })
    await showProgress(cli, reply.body)
  },
})
