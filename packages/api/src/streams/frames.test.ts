import fc from 'fast-check'
import t from 'tap'
import { encodeFrame, FrameDecoder, type FrameType } from './frames.ts'

t.test('the header', (t) => {
  t.strictSame([...encodeFrame(2, Buffer.from('ab'))], [2, 0, 0, 0, 0, 0, 0, 2, 97, 98])
  t.end()
})

t.test('frames come out whole however the bytes were cut', (t) => {
  const frames = fc.array(fc.tuple(fc.constantFrom<FrameType>(0, 1, 2, 3), fc.uint8Array({ maxLength: 40 })))
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (sent, cuts) => {
      const decoder = new FrameDecoder()
      const wire = Buffer.concat(sent.map(([type, payload]) => encodeFrame(type, payload)))
      const received: Record<number, number[]> = { 0: [], 1: [], 2: [], 3: [] }
      for (let offset = 0, index = 0; offset < wire.length; index++) {
        const size = cuts[index % cuts.length] ?? 1
        for (const { type, payload } of decoder.decode(wire.subarray(offset, offset + size)))
          received[type]?.push(...payload)
        offset += size
      }
      for (const type of [0, 1, 2, 3]) {
        const expected = sent.flatMap(([sentType, payload]) => (sentType === type ? [...payload] : []))
        t.strictSame(received[type], expected)
      }
      t.ok(decoder.atBoundary)
    }),
    { numRuns: 100 },
  )
  t.end()
})

t.test('an unfinished frame is seen, an unknown type refused', (t) => {
  const decoder = new FrameDecoder()
  decoder.decode(Buffer.from([1, 0, 0]))
  t.notOk(decoder.atBoundary)
  t.throws(() => new FrameDecoder().decode(Buffer.from([7, 0, 0, 0, 0, 0, 0, 1])), {
    message: 'unrecognized stream type: 7',
  })
  t.end()
})
