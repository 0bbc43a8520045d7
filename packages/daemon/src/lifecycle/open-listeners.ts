/** Opens the sockets that `-H` names, with the protection that each kind needs. */
import { readFileSync } from 'node:fs'
import type { TlsOptions } from 'node:tls'
import { ConfigError, type DaemonConfig } from '../config/load-config.ts'
import type { HttpServer } from '../http/server.ts'
import { claimSocketPath, type Listener, parseHosts, protectSocket } from './listeners.ts'
import type { Logger } from './logger.ts'

function tlsOptions(config: DaemonConfig): TlsOptions {
  const read = (key: 'tlscacert' | 'tlscert' | 'tlskey', fallback: string) => readFileSync(config[key] ?? fallback)
  try {
    return {
      cert: read('tlscert', '/root/.docker/cert.pem'),
      key: read('tlskey', '/root/.docker/key.pem'),
      minVersion: 'TLSv1.2',
      ...(config.tlsverify
        ? { ca: read('tlscacert', '/root/.docker/ca.pem'), requestCert: true, rejectUnauthorized: true }
        : {}),
    }
  } catch (error) {
    throw new ConfigError(`could not read the TLS files: ${(error as Error).message}`)
  }
}

/** A TCP socket without client certificates gives root to whoever reaches it: only in words, and with a warning. */
function checkTcp(listener: Listener & { kind: 'tcp' }, config: DaemonConfig, logger: Logger): void {
  if (config.tlsverify) return
  const where = `tcp://${listener.host}:${listener.port}`
  if (process.env.DOCKERD_TS_ALLOW_INSECURE_TCP !== '1') {
    throw new ConfigError(
      `${where} without --tlsverify gives root access to everyone who reaches it; set DOCKERD_TS_ALLOW_INSECURE_TCP=1 if you mean it`,
    )
  }
  logger.warn(
    { host: where },
    'binding to a TCP address without client certificates is insecure and gives root access on this machine to everyone who reaches it',
  )
}

/** Resolves when all of them listen; the answer removes the socket files again. */
export async function openListeners(
  server: HttpServer,
  config: DaemonConfig,
  { logger, listenDescriptors }: { logger: Logger; listenDescriptors: readonly number[] },
): Promise<void> {
  const choice = { tls: config.tls ?? false, tlsVerify: config.tlsverify ?? false }
  const listeners = parseHosts(config.hosts, { ...choice, listenDescriptors })
  for (const listener of listeners) {
    if (listener.kind === 'fd') {
      await server.listen({ fd: listener.fd })
    } else if (listener.kind === 'tcp') {
      checkTcp(listener, config, logger)
      await server.listen({
        host: listener.host,
        port: listener.port,
        ...(listener.tls ? { tls: tlsOptions(config) } : {}),
      })
    } else {
      await claimSocketPath(listener.path)
      // Until its owner is set nobody but root may connect.
      const mask = process.umask(0o177)
      try {
        await server.listen({ path: listener.path })
      } finally {
        process.umask(mask)
      }
      protectSocket(listener.path, config.group, (message) => logger.warn({}, message))
    }
    logger.info({ ...listener }, 'API listens')
  }
}
