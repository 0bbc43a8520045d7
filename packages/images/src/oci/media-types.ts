/** Media types of manifests, configurations and layers, of Docker and of OCI. */

export const mediaTypes = {
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerPlugin: 'application/vnd.docker.plugin.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociForeignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
} as const

export const isIndexType = (type: string): boolean => type === mediaTypes.dockerList || type === mediaTypes.ociIndex
export const isManifestType = (type: string): boolean =>
  type === mediaTypes.dockerManifest || type === mediaTypes.ociManifest
export const isSchema1Type = (type: string): boolean =>
  type === mediaTypes.dockerSchema1 || type === mediaTypes.dockerSchema1Signed

const configTypes: ReadonlySet<string> = new Set([
  mediaTypes.dockerConfig,
  mediaTypes.ociConfig,
  // Registries of old kept configurations under these.
  'application/octet-stream',
  'application/json',
  'text/plain',
])

/** False for artifacts (charts, signatures, plugins) that are no images. */
export const isImageConfigType = (type: string): boolean => configTypes.has(type)

const layerPattern =
  /^application\/vnd\.(?:docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.gzip|\.zstd)?|oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+gzip|\+zstd)?)$/

/** True for what can be unpacked as a layer; how it is compressed is told by its bytes. */
export const isLayerType = (type: string): boolean => layerPattern.test(type)
