/** How BuildKit says in an index which manifest an attestation is about. */

/** The manifest that it is about; undefined: it is no attestation. */
export const attestedDigest = ({
  annotations,
}: {
  annotations?: Readonly<Record<string, string>> | null | undefined
}): string | undefined =>
  annotations?.['vnd.docker.reference.type'] === 'attestation-manifest'
    ? annotations['vnd.docker.reference.digest']
    : undefined
