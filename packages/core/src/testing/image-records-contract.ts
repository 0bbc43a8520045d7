/** What every implementation of ImageRecords promises; run on the fake and on the database. */
import type { BlobRow, ImageRecords, ImageRow, IndexRow, LayerRow } from '../ports/images.ts'

/** The few assertions the contract needs; tap's test object has them. */
export interface ContractAssertions {
  same(actual: unknown, expected: unknown): unknown
  equal(actual: unknown, expected: unknown): unknown
  throws(work: () => void): unknown
}

/** Registers one case with the test runner: `(name, body) => t.test(name, body)`. */
export type ContractTest = (name: string, body: (t: ContractAssertions) => Promise<void>) => unknown

const image: ImageRow = {
  id: `sha256:${'a'.repeat(64)}`,
  manifestDigest: `sha256:${'b'.repeat(64)}`,
  manifestMediaType: 'application/vnd.oci.image.manifest.v1+json',
  configJson: '{"os":"linux","text":"ä\\u0000 🐳"}',
  chainIds: ['sha256:one', 'sha256:two'],
  blobDigests: ['sha256:three', 'sha256:four'],
  sizeBytes: 5_000_000_000,
  createdAtNs: '1700000000123456789',
  lastTaggedAtNs: '1700000001123456789',
  parentId: `sha256:${'c'.repeat(64)}`,
  hidden: true,
}
const { lastTaggedAtNs: _tagged, parentId: _parent, hidden: _hidden, ...plainImage } = image

const layer: LayerRow = {
  chainId: 'sha256:two',
  diffId: 'sha256:diff',
  parentChainId: 'sha256:one',
  directory: 'ab12/diff',
  sizeBytes: 2 ** 40,
}
const blob: BlobRow = { digest: 'sha256:three', mediaType: 'x/y', sizeBytes: 12, sources: ['docker.io/library/a'] }

const index: IndexRow = {
  digest: `sha256:${'e'.repeat(64)}`,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  sizeBytes: 500,
  nestedDigests: [],
  entries: [
    {
      descriptor: {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: `sha256:${'f'.repeat(64)}`,
        size: 400,
        platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      },
    },
  ],
}

/** `make` answers an empty store each time. */
export function imageRecordsContract(test: ContractTest, make: () => ImageRecords): void {
  test('an image comes back as it was put, with and without its optional fields', async (t) => {
    const records = make()
    records.putImage(image)
    t.same(records.getImage(image.id), image)
    // A second put replaces the whole row.
    records.putImage(plainImage)
    t.same(records.getImage(image.id), plainImage)
    t.same(records.listImages(), [plainImage])
    records.deleteImage(image.id)
    records.deleteImage(image.id)
    t.equal(records.getImage(image.id), undefined)
    t.same(records.listImages(), [])
  })
  test('a reference means one image at a time', async (t) => {
    const records = make()
    const other = { ...plainImage, id: `sha256:${'d'.repeat(64)}` }
    records.putImage(image)
    records.putImage(other)
    records.setReference('docker.io/library/a:latest', image.id)
    records.setReference('docker.io/library/b:latest', image.id)
    records.setReference('docker.io/library/a:latest', other.id)
    const sorted = () => records.listReferences().sort((a, b) => (a.reference < b.reference ? -1 : 1))
    t.same(sorted(), [
      { reference: 'docker.io/library/a:latest', imageId: other.id },
      { reference: 'docker.io/library/b:latest', imageId: image.id },
    ])
    records.deleteReference('docker.io/library/a:latest')
    records.deleteReference('docker.io/library/a:latest')
    t.same(sorted(), [{ reference: 'docker.io/library/b:latest', imageId: image.id }])
  })
  test('a reference can mean an index too, until it means an image alone again', async (t) => {
    const records = make()
    records.putImage(image)
    records.setReference('docker.io/library/a:latest', image.id, index.digest)
    t.same(records.listReferences(), [
      { reference: 'docker.io/library/a:latest', imageId: image.id, indexDigest: index.digest },
    ])
    records.setReference('docker.io/library/a:latest', image.id)
    t.same(records.listReferences(), [{ reference: 'docker.io/library/a:latest', imageId: image.id }])
  })
  test('an index comes back as it was put', async (t) => {
    const records = make()
    records.putIndex(index)
    t.same(records.listIndexes(), [index])
    const grown: IndexRow = {
      ...index,
      entries: index.entries.map((entry) => ({ ...entry, content: { configDigest: image.id, layerDigests: ['x'] } })),
    }
    records.putIndex(grown)
    t.same(records.listIndexes(), [grown])
    records.deleteIndex(index.digest)
    records.deleteIndex(index.digest)
    t.same(records.listIndexes(), [])
  })
  test('layers and blobs come back as they were put', async (t) => {
    const records = make()
    const { parentChainId: _none, ...base } = layer
    records.putLayer(layer)
    records.putLayer({ ...base, chainId: 'sha256:one', directory: 'cd34/diff' })
    t.same(records.getLayer('sha256:two'), layer)
    t.same(records.getLayer('sha256:one'), { ...base, chainId: 'sha256:one', directory: 'cd34/diff' })
    t.equal(records.listLayers().length, 2)
    records.deleteLayer('sha256:two')
    t.equal(records.getLayer('sha256:two'), undefined)
    records.putBlob(blob)
    records.putBlob({ ...blob, sources: [] })
    t.same(records.getBlob(blob.digest), { ...blob, sources: [] })
    t.equal(records.listBlobs().length, 1)
    records.deleteBlob(blob.digest)
    records.deleteBlob(blob.digest)
    t.same(records.listBlobs(), [])
  })
  test('a transaction is all or nothing', async (t) => {
    const records = make()
    records.putBlob(blob)
    t.throws(() =>
      records.transaction(() => {
        records.putImage(image)
        records.setReference('docker.io/library/a:latest', image.id)
        records.deleteBlob(blob.digest)
        throw new Error('half way')
      }),
    )
    t.same(records.listImages(), [])
    t.same(records.listReferences(), [])
    t.same(records.getBlob(blob.digest), blob)
    t.equal(
      records.transaction(() => {
        records.putImage(image)
        return 7
      }),
      7,
    )
    t.same(records.getImage(image.id), image)
  })
}
