/** `logout`: forgets the credentials of a registry. */
import { hostOf, INDEX_SERVER } from '../client/registry-auth.ts'
import { atMost, defineCommand } from '../command.ts'
import { saveConfig } from '../config-file.ts'

export default defineCommand({
  usage: '[SERVER]',
  short: 'Log out from a registry',
  long: 'Log out from a registry; from Docker Hub when none is named.',
  args: atMost(1),
  flags: {},
  async run({ cli, args }) {
    const server = args[0] === undefined || args[0] === 'docker.io' ? INDEX_SERVER : hostOf(args[0])
    cli.out(`Removing login credentials for ${server}\n`)
    const helper = cli.config.credHelpers?.[server] ?? cli.config.credsStore
    if (helper) {
      const { credentialHelper } = await import('../client/credential-helper.ts')
      credentialHelper(helper).erase(server)
    }
    const auths = { ...cli.config.auths }
    const keys = Object.keys(auths).filter(
      (key) => key === server || (server !== INDEX_SERVER && hostOf(key) === server),
    )
    if (keys.length === 0) return
    for (const key of keys) delete auths[key]
    saveConfig(cli.configDir, { ...cli.config, auths })
  },
})
