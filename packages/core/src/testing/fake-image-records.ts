/** ImageRecords in memory, with the same copies and the same all-or-nothing transactions as the database. */
import type { BlobRow, ImageRecords, ImageRow, IndexRow, LayerRow, ReferenceRow } from '../ports/images.ts'

export function fakeImageRecords(): ImageRecords {
  let state = {
    images: new Map<string, ImageRow>(),
    references: new Map<string, ReferenceRow>(),
    indexes: new Map<string, IndexRow>(),
    layers: new Map<string, LayerRow>(),
    blobs: new Map<string, BlobRow>(),
  }
  const find = <T>(rows: Map<string, T>, key: string): T | undefined => structuredClone(rows.get(key))
  const list = <T>(rows: Map<string, T>): T[] => structuredClone([...rows.values()])
  return {
    putImage: (image) => void state.images.set(image.id, structuredClone(image)),
    getImage: (id) => find(state.images, id),
    listImages: () => list(state.images),
    deleteImage: (id) => void state.images.delete(id),
    setReference: (reference, imageId, indexDigest) =>
      void state.references.set(reference, { reference, imageId, ...(indexDigest !== undefined && { indexDigest }) }),
    deleteReference: (reference) => void state.references.delete(reference),
    listReferences: () => list(state.references),
    putIndex: (index) => void state.indexes.set(index.digest, structuredClone(index)),
    listIndexes: () => list(state.indexes),
    deleteIndex: (digest) => void state.indexes.delete(digest),
    putLayer: (layer) => void state.layers.set(layer.chainId, structuredClone(layer)),
    getLayer: (chainId) => find(state.layers, chainId),
    listLayers: () => list(state.layers),
    deleteLayer: (chainId) => void state.layers.delete(chainId),
    putBlob: (blob) => void state.blobs.set(blob.digest, structuredClone(blob)),
    getBlob: (digest) => find(state.blobs, digest),
    listBlobs: () => list(state.blobs),
    deleteBlob: (digest) => void state.blobs.delete(digest),
    transaction(work) {
      const before = structuredClone(state)
      try {
        return work()
      } catch (error) {
        state = before
        throw error
      }
    },
  }
}
