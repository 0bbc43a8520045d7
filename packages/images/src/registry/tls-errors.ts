/** Failures of TLS in the words of Go's crypto/tls and crypto/x509. */
import { isIP } from 'node:net'

const untrusted = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
])

/** In Node's codes, and in OpenSSL's texts where the code is EPROTO. */
const alertCode = /^ERR_SSL_(?:SSL\/TLS|SSLV3|TLSV1|TLSV13)_(?:ALERT_)?([A-Z_]+)$/
const alertText = /:SSL routines:[^:]*:(?:ssl\/tls|sslv3|tlsv1|tlsv13) (?:alert )?([a-z ]+):/

/** What the other side said, where Go's words are not OpenSSL's. */
const alerts: Readonly<Record<string, string>> = {
  'certificate expired': 'expired certificate',
  'certificate revoked': 'revoked certificate',
  'certificate unknown': 'unknown certificate',
  'decrypt error': 'error decrypting message',
  'insufficient security': 'insufficient security level',
  'protocol version': 'protocol version not supported',
  'unknown ca': 'unknown certificate authority',
}

export interface TlsError {
  code?: string
  message: string
  /** Of the certificate that is not for this host. */
  cert?: { subjectaltname?: string }
}

/** Undefined: it is no failure of TLS. */
export function tlsFailure({ code = '', message, cert }: TlsError, hostname: string): string | undefined {
  const unverified = (text: string) => `tls: failed to verify certificate: x509: ${text}`
  if (untrusted.has(code)) return unverified('certificate signed by unknown authority')
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return unverified('certificate has expired or is not yet valid')
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return unverified(wrongName(cert?.subjectaltname ?? '', hostname))
  if (code === 'ERR_SSL_UNSUPPORTED_PROTOCOL') return 'tls: server selected unsupported protocol version'
  const alert = (alertCode.exec(code) ?? alertText.exec(message))?.[1]?.toLowerCase().replaceAll('_', ' ')
  return alert === undefined ? undefined : `remote error: tls: ${alerts[alert] ?? alert}`
}

/** `names` as Node gives them: `DNS:a, IP Address:1.2.3.4`. */
function wrongName(names: string, hostname: string): string {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const kind = isIP(host) === 0 ? 'DNS' : 'IP Address'
  const own = names.split(', ').flatMap((name) => (name.startsWith(`${kind}:`) ? [name.slice(kind.length + 1)] : []))
  if (own.length > 0) return `certificate is valid for ${own.join(', ')}, not ${host}`
  if (kind === 'IP Address') return `cannot validate certificate for ${host} because it doesn't contain any IP SANs`
  if (names === '') return 'certificate relies on legacy Common Name field, use SANs instead'
  return `certificate is not valid for any names, but wanted to match ${host}`
}
