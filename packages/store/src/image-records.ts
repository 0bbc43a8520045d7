/** What the images package keeps: images, their references, layers, blobs. */
import type { BlobRow, ImageRecords, ImageRow, LayerRow } from '@dockerd-ts/core'
import type { Connection } from './database.ts'
import { jsonTable } from './json-table.ts'

export function imageRecords(connection: Connection): Omit<ImageRecords, 'transaction'> {
  const images = jsonTable<ImageRow>(connection, 'images', 'id')
  const layers = jsonTable<LayerRow>(connection, 'layers', 'chain_id')
  const blobs = jsonTable<BlobRow>(connection, 'blobs', 'digest')
  const setReference = connection.prepare<[string, string]>(
    `INSERT INTO image_references (reference, image_id) VALUES (?, ?)
     ON CONFLICT (reference) DO UPDATE SET image_id = excluded.image_id`,
  )
  const deleteReference = connection.prepare<[string]>('DELETE FROM image_references WHERE reference = ?')
  const listReferences = connection.prepare<[], { reference: string; imageId: string }>(
    'SELECT reference, image_id AS imageId FROM image_references ORDER BY reference',
  )
  return {
    putImage: (image) => images.put(image.id, image),
    getImage: (id) => images.get(id),
    listImages: () => images.list(),
    deleteImage: (id) => images.delete(id),
    setReference: (reference, imageId) => void setReference.run(reference, imageId),
    deleteReference: (reference) => void deleteReference.run(reference),
    listReferences: () => listReferences.all(),
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
