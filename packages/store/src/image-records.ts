/** What the images package keeps: images, their references, layers, blobs. */
import type { BlobRow, ImageRecords, ImageRow, IndexRow, LayerRow } from '@dockerd-ts/core'
import type { Connection } from './database.ts'
import { jsonTable } from './json-table.ts'

export function imageRecords(connection: Connection): Omit<ImageRecords, 'transaction'> {
  const images = jsonTable<ImageRow>(connection, 'images', 'id')
  const layers = jsonTable<LayerRow>(connection, 'layers', 'chain_id')
  const blobs = jsonTable<BlobRow>(connection, 'blobs', 'digest')
  const indexes = jsonTable<IndexRow>(connection, 'image_indexes', 'digest')
  const setReference = connection.prepare<[string, string, string | null]>(
    `INSERT INTO image_references (reference, image_id, index_digest) VALUES (?, ?, ?)
     ON CONFLICT (reference) DO UPDATE SET image_id = excluded.image_id, index_digest = excluded.index_digest`,
  )
  const deleteReference = connection.prepare<[string]>('DELETE FROM image_references WHERE reference = ?')
  const listReferences = connection.prepare<[], { reference: string; imageId: string; indexDigest: string | null }>(
    `SELECT reference, image_id AS imageId, index_digest AS indexDigest FROM image_references ORDER BY reference`,
  )
  return {
    putImage: (image) => images.put(image.id, image),
    getImage: (id) => images.get(id),
    listImages: () => images.list(),
    deleteImage: (id) => images.delete(id),
    setReference: (reference, imageId, indexDigest) => void setReference.run(reference, imageId, indexDigest ?? null),
    deleteReference: (reference) => void deleteReference.run(reference),
    listReferences: () =>
      listReferences.all().map(({ indexDigest, ...row }) => ({ ...row, ...(indexDigest !== null && { indexDigest }) })),
    putIndex: (index) => indexes.put(index.digest, index),
    listIndexes: () => indexes.list(),
    deleteIndex: (digest) => indexes.delete(digest),
    putLayer: (layer) => layers.put(layer.chainId, layer),
    getLayer: (chainId) => layers.get(chainId),
    listLayers: () => layers.list(),
    deleteLayer: (chainId) => layers.delete(chainId),
    putBlob: (blob) => blobs.put(blob.digest, blob),
    getBlob: (digest) => blobs.get(digest),
    listBlobs: () => blobs.list(),
    deleteBlob: (digest) => blobs.delete(digest),
  }
}
