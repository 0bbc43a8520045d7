/** `login`: checks credentials with the daemon's registry client and keeps them. */
import { isatty } from 'node:tty'
import type { Cli } from '../cli.ts'
import { DaemonError } from '../client/errors.ts'
import { authKey, findAuth, hostOf, INDEX_SERVER } from '../client/registry-auth.ts'
import { atMost, defineCommand } from '../command.ts'
import { type AuthEntry, saveConfig } from '../config-file.ts'
import { ExitError, messageOf } from '../exit-error.ts'
import { bool, string } from '../options/flags.ts'
import { readHidden } from '../terminal/read-hidden.ts'
import { readLine } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS] [SERVER]',
  short: 'Log in to a registry',
  long: 'Log in to a registry; to Docker Hub when none is named.',
  args: atMost(1),
  flags: {
    password: string('p', 'Password or access token'),
    'password-stdin': bool('', 'Read the password or token from standard input'),
    username: string('u', 'User name'),
  },
  async run({ cli, args, flags, given }) {
    const server = args[0] === undefined || args[0] === 'docker.io' ? INDEX_SERVER : hostOf(args[0])
    if (given('username') && flags.username.trim() === '') throw new ExitError(1, 'username is empty')
    let password = flags.password
    if (given('password')) {
      if (flags['password-stdin'])
        throw new ExitError(1, 'conflicting options: cannot specify both --password and --password-stdin')
      cli.err('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n')
    }
    if (flags['password-stdin']) {
      if (flags.username === '') throw new ExitError(1, 'the --password-stdin option requires --username to be set')
      password = (await readLine()).replace(/[\r\n]+$/, '')
    }
    const asked = flags.username !== '' || password !== ''
    const known = asked ? undefined : await loginAsBefore(cli, server)
    if (known !== undefined) return cli.out(known)
    const auth = await completeAuth(cli, server, { username: flags.username, password })
    const answer = await authenticate(cli, auth)
    const kept = answer.IdentityToken ? { ...auth, password: '', identitytoken: answer.IdentityToken } : auth
    await keep(cli, server, kept)
    if (answer.Status !== '') cli.out(`${answer.Status}\n`)
  },
})

interface Answer {
  Status: string
  IdentityToken?: string
}

const authenticate = async (cli: Cli, auth: AuthEntry): Promise<Answer> =>
  (await cli.api()).json<Answer>('POST', '/auth', { json: auth })

/** With the credentials that are kept; undefined where there are none, or where they no longer hold. */
async function loginAsBefore(cli: Cli, server: string): Promise<string | undefined> {
  const stored = await findAuth(cli.config, authKey(server))
  if (!stored.username || !stored.password) return undefined
  cli.err(`Authenticating with existing credentials... [Username: ${stored.username}]\n\n`)
  cli.err(` Info -> To login with a different account, run 'docker logout' followed by 'docker login'\n\n\n`)
  try {
    const { Status } = await authenticate(cli, stored)
    return Status === '' ? '' : `${Status}\n`
  } catch (error) {
    const refused = error instanceof DaemonError && error.status === 401
    cli.err(refused ? 'Stored credentials invalid or expired\n' : `Login did not succeed, error: ${messageOf(error)}\n`)
    return undefined
  }
}

async function completeAuth(
  cli: Cli,
  server: string,
  input: { username: string; password: string },
): Promise<AuthEntry> {
  let { username, password } = input
  if ((username === '' || password === '') && !isatty(0))
    throw new ExitError(1, 'Error: Cannot perform an interactive login from a non TTY device')
  if (username === '') {
    cli.out('Username: ')
    username = (await readLine()).trim()
    if (username === '') throw new ExitError(1, 'Error: Non-null Username Required')
  }
  if (password === '') {
    password = await readHidden(cli, 'Password: ')
    if (password === '') throw new ExitError(1, 'Error: Password Required')
  }
  return { username, password, serveraddress: server }
}

async function keep(cli: Cli, server: string, auth: AuthEntry): Promise<void> {
  const { config } = cli
  const helper = config.credHelpers?.[server] ?? config.credsStore
  try {
    if (helper) {
      const { credentialHelper } = await import('../client/credential-helper.ts')
      const token = auth.identitytoken
      credentialHelper(helper).store(server, token ? '<token>' : (auth.username ?? ''), token ?? auth.password ?? '')
      saveConfig(cli.configDir, { ...config, auths: { ...config.auths, [server]: {} } })
      return
    }
    const encoded = Buffer.from(`${auth.username ?? ''}:${auth.password ?? ''}`).toString('base64')
    const entry: AuthEntry = { auth: encoded, ...(auth.identitytoken ? { identitytoken: auth.identitytoken } : {}) }
    saveConfig(cli.configDir, { ...config, auths: { ...config.auths, [server]: entry } })
    cli.err(
      `\nWARNING! Your credentials are stored unencrypted in '${cli.configDir}/config.json'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n`,
    )
  } catch (error) {
    throw new Error(`Error saving credentials: ${messageOf(error)}`)
  }
}
