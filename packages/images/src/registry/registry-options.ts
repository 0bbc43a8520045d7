/** What the daemon's configuration says about registries. */
import type { SignaturePolicy } from '../signatures/signature-policy.ts'

export interface RegistryOptions {
  /** Base URLs that are asked first, in order: of Docker Hub's images, or of the registry before an equals sign. */
  mirrors: readonly string[]
  /** `host[:port]` or CIDR networks that may speak plain HTTP or have unknown certificates. 127.0.0.0/8 always may. */
  insecureRegistries: readonly string[]
  /** `ca.crt`, `client.cert` and `client.key` per registry in `<directory>/<host[:port]>/`. */
  certificatesDirectory: string
  /** Of one pull. */
  maxConcurrentDownloads: number
  maxConcurrentUploads: number
  /** Tries of one download after the first. */
  maxDownloadAttempts: number
  /** Before the second try; it doubles from there. */
  retryDelayMs: number
  userAgent: string
  /** What may be pulled; undefined: everything. */
  signaturePolicy: SignaturePolicy | undefined
}

export const defaultRegistryOptions: RegistryOptions = {
  mirrors: [],
  insecureRegistries: [],
  certificatesDirectory: '/etc/docker/certs.d',
  maxConcurrentDownloads: 3,
  maxConcurrentUploads: 5,
  maxDownloadAttempts: 5,
  retryDelayMs: 1000,
  userAgent: 'dockerd-ts',
  signaturePolicy: undefined,
}
