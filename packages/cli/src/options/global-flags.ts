/** The flags before the command: which daemon, how to trust it, where the configuration lives. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { bool, type FlagValues, list, string } from './flags.ts'

export const defaultConfigDir = process.env.DOCKER_CONFIG || join(homedir(), '.docker')
const certDir = process.env.DOCKER_CERT_PATH || defaultConfigDir

export const globalFlags = {
  config: string('', 'Directory of the client configuration', defaultConfigDir),
  context: string(
    'c',
    'Context that names the daemon to talk to (wins over DOCKER_HOST and over "docker context use")',
  ),
  debug: bool('D', 'Print debugging details'),
  host: list('H', 'Daemon socket to connect to'),
  'log-level': string('l', 'Least level of messages to print ("debug", "info", "warn", "error", "fatal")', 'info'),
  tls: bool('', 'Use TLS; --tlsverify implies it'),
  tlscacert: string('', 'Trust only certificates signed by this authority', join(certDir, 'ca.pem')),
  tlscert: string('', 'TLS certificate of the client', join(certDir, 'cert.pem')),
  tlskey: string('', 'TLS key of the client', join(certDir, 'key.pem')),
  tlsverify: bool('', 'Use TLS and verify the daemon', false),
  version: bool('v', 'Print the version and quit'),
} as const

export type GlobalFlags = FlagValues<typeof globalFlags>
