import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeJpeg } from '../../world/plex/jpeg.ts'
import { asFriend, startPlex, withQuery, type Caller } from './plex-caller.ts'
import { readJpeg } from './read-jpeg.ts'

const channel = fc.integer({ min: 0, max: 255 })
const side = fc.integer({ min: 1, max: 40 })

test('every size and colour can be read back', () => {
  fc.assert(
    fc.property(side, side, channel, channel, channel, (width, height, r, g, b) => {
      const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => [r, g, b][i % 3] ?? 0)
      const picture = readJpeg(encodeJpeg(width, height, rgb))
      expect(picture).toMatchObject({ width, height, complete: true })
      expect(picture.means[0]).toBeCloseTo(0.299 * r + 0.587 * g + 0.114 * b, -1)
    }),
    { numRuns: 60 },
  )
})

test('noise, which needs every code, can be read back', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16 * 16 * 3, maxLength: 16 * 16 * 3 }),
      fc.integer({ min: 1, max: 100 }),
      (rgb, quality) => {
        expect(readJpeg(encodeJpeg(16, 16, rgb, quality))).toMatchObject({ blocks: 4, complete: true })
      },
    ),
    { numRuns: 40 },
  )
})

async function transcode(caller: Caller, url: string, init?: RequestInit): Promise<Response> {
  return caller.call(
    withQuery('/photo/:/transcode', { url, width: '120', height: '180', minSize: '1' }),
    init,
  )
}

test('posters come in the size that is wanted, each different', async () => {
  const caller = await startPlex()
  const { Metadata } = await caller.container('/library/metadata/3,10')
  const [first, second] = await Promise.all(Metadata.map((row) => transcode(caller, String(row['thumb']))))

  expect(first?.headers.get('content-type')).toBe('image/jpeg')
  const image = Buffer.from((await first?.arrayBuffer()) ?? new ArrayBuffer(0))
  expect(readJpeg(image)).toMatchObject({ width: 120, height: 180, complete: true })
  expect(image.equals(Buffer.from((await second?.arrayBuffer()) ?? new ArrayBuffer(0)))).toBe(false)
})

test('collections and sections have pictures too, and all have them unscaled', async () => {
  const caller = await startPlex()
  const [collection] = (await caller.container('/library/sections/1/collections')).Metadata
  const [section] = (await caller.container('/library/sections')).Directory
  expect((await transcode(caller, String(collection?.['thumb']))).status).toBe(200)
  expect((await transcode(caller, String(section?.['composite']))).status).toBe(200)
  const raw = await caller.call(`/library/metadata/3/thumb/1`)
  expect(readJpeg(Buffer.from(await raw.arrayBuffer()))).toMatchObject({ width: 600, height: 900 })
})

test('no picture of nothing, of what is not seen, or without a size', async () => {
  const caller = await startPlex()
  expect((await transcode(caller, '')).status).toBe(404)
  expect((await transcode(caller, '/library/metadata/999999/thumb/1')).status).toBe(404)
  expect((await transcode(caller, '/library/metadata/3/thumb/1', asFriend)).status).toBe(404)
  expect((await transcode(caller, '/status/sessions')).status).toBe(404)
  expect((await caller.call('/photo/:/transcode?url=/library/metadata/3/thumb/1')).status).toBe(400)
})

test('an absolute address is remembered, as a real server would fetch it', async () => {
  const caller = await startPlex()
  expect((await transcode(caller, 'http://169.254.169.254/secret')).status).toBe(200)
  expect(caller.plex.state().fetchedAddresses).toEqual(['http://169.254.169.254/secret'])
})
