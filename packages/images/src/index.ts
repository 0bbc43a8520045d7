/** From a registry or an archive to the layers of a root filesystem. */

export { decompress, isPlain } from './archive/compression.ts'
export { createImageService, type ImageServiceOptions, type Images } from './create-image-service.ts'
export { splitMirror } from './registry/endpoints.ts'
export type { RegistryOptions } from './registry/registry-options.ts'
export { readSignaturePolicy, type SignaturePolicy } from './signatures/signature-policy.ts'
export { readTar, type TarEntry } from './tar/reader.ts'
export { encodeEntry, type NewEntry, tarEnd, tarPadding, writeTar } from './tar/writer.ts'
