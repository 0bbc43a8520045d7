/** Checks that the client makes on single values before it asks the daemon. */
import { isIP } from 'node:net'
import { cut } from './flags.ts'

export function checkAttach(text: string): string {
  const stream = text.toLowerCase()
  if (stream === 'stdin' || stream === 'stdout' || stream === 'stderr') return stream
  throw new Error('valid streams are STDIN, STDOUT and STDERR')
}

/** `host:ip` or `host=ip`; the address may be `host-gateway`. */
export function checkAddHost(text: string): string {
  const [name, value] = text.includes('=') ? cut(text, '=') : cut(text, ':')
  if (value === undefined || name === '') throw new Error(`bad format for add-host: ${JSON.stringify(text)}`)
  const address = value.replace(/^\[(.*)\]$/, '$1')
  if (address !== 'host-gateway' && isIP(address) === 0)
    throw new Error(`invalid IP address in add-host: ${JSON.stringify(value)}`)
  return `${name}:${address}`
}

export function checkIp(text: string): string {
  const address = text.trim()
  if (isIP(address) === 0) throw new Error(`IP address is not correctly formatted: ${text}`)
  return address
}

export function checkDnsSearch(text: string): string {
  const domain = text.trim()
  if (domain === '.') return domain
  const valid =
    /^(?:[a-zA-Z0-9_](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9_](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?)*\.?$/.test(domain)
  if (!valid || domain.length > 255 || !/[a-zA-Z]/.test(domain)) throw new Error(`${text} is not a valid domain`)
  return domain
}

export function checkLink(text: string): string {
  if (text === '') throw new Error('empty string specified for links')
  if (text.split(':').length > 2) throw new Error(`bad format for links: ${text}`)
  return text
}

const ALLOWED_SYSCTLS = [
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]

export function checkSysctl(text: string): string {
  const [key, value] = cut(text, '=')
  if (value === undefined || key === '') throw new Error(`sysctl '${text}' is not allowed`)
  const allowed = ALLOWED_SYSCTLS.includes(key) || key.startsWith('net.') || key.startsWith('fs.mqueue.')
  if (!allowed) throw new Error(`sysctl '${text}' is not allowed`)
  return text
}

export function checkMac(text: string): void {
  if (!/^([0-9a-fA-F]{2}([:-]))(?:[0-9a-fA-F]{2}\2){4}[0-9a-fA-F]{2}$/.test(text))
    throw new Error(`${text} is not a valid mac address`)
}
