/** A verified file in staging (or of a download that can go on), to be committed under its digest. */
export interface StagedBlob {
  path: string
  digest: string
  sizeBytes: number
}
