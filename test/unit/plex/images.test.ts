import fc from 'fast-check'
import { expect, test } from 'vitest'

import { imagesOf, isImagePath, pixels } from '../../../src/plex/image-paths.ts'
import { createImages } from '../../../src/plex/images.ts'

const thumb = '/library/metadata/3/thumb/1700000000'
const art = '/library/metadata/3/art/1700000000'

let signings = 0
const images = createImages({
  signatures: {
    sign: async (message) => {
      signings += 1
      return Buffer.from(message).toString('hex')
    },
    verify: async () => false,
  },
  holdsScope: async () => true,
  shelf: { get: async () => undefined, put: async () => undefined },
  read: async () => {
    throw new Error('nobody asked for a picture')
  },
})

test('a row has its own pictures, else those of what it belongs to', () => {
  expect(imagesOf({ thumb, art })).toEqual({ poster: thumb, art })
  expect(imagesOf({ thumb })).toEqual({ poster: thumb })
  expect(imagesOf({ parentThumb: thumb, grandparentArt: art })).toEqual({ poster: thumb, art })
  expect(imagesOf({ thumb, parentThumb: '/library/metadata/2/thumb/1' })).toEqual({ poster: thumb })
  expect(imagesOf({ composite: '/library/sections/1/composite/17' })).toEqual({
    poster: '/library/sections/1/composite/17',
  })
})

test('a collection’s picture loses the size that Plex would like', () => {
  expect(imagesOf({ thumb: '/library/collections/9/composite/17?width=400&height=600' })).toEqual({
    poster: '/library/collections/9/composite/17',
  })
})

test('what is no picture of a library is no picture', () => {
  const values = [
    '',
    null,
    7,
    {},
    [thumb],
    'https://metadata-static.plex.tv/people/x.jpg',
    '/:/resources/movie-fanart.jpg',
    '/library/metadata/3/thumb',
    `${thumb}/`,
    `${thumb}#x`,
    `https://attacker.example${thumb}`,
  ]
  for (const value of values) expect(imagesOf({ thumb: value, art: value }), String(value)).toBeUndefined()
})

test('a path that is let through is digits and known words, whatever it was made of', () => {
  const piece = fc.constantFrom(
    '/library',
    '/metadata',
    '/collections',
    '/sections',
    '/3',
    '/thumb',
    '/art',
    '/composite',
    '/theme',
    '/..',
    '//',
    '%2f',
    '?',
    '#',
    'http:',
    '/17',
    '\n',
    '1',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      (path) => {
        if (!isImagePath(path)) return
        expect(path).toMatch(/^\/library\/[a-z]+\/\d+\/[a-z]+\/\d+$/)
        expect(new URL(path, 'http://plex.example').pathname).toBe(path)
      },
    ),
    { numRuns: 2_000, examples: [[thumb], [art]] },
  )
})

test('every size is a whole number of pixels, in the shape of its kind', () => {
  const shapes = ['thumb', 'art', 'banner', 'composite'].map((kind) => {
    const path = `/library/metadata/3/${kind}/1`
    return isImagePath(path) ? pixels(path, 'w480') : undefined
  })
  expect(shapes).toEqual([
    { width: 480, height: 720 },
    { width: 480, height: 270 },
    { width: 480, height: 89 },
    { width: 480, height: 720 },
  ])
})

test('addresses stand where paths stood, at any depth, and all else is as it was', async () => {
  const value = {
    data: [
      { title: 'One', images: { poster: thumb, art } },
      { title: 'Two', related: { items: [{ images: { poster: thumb } }] } },
    ],
    meta: { count: 2, images: 'a word' },
    guid: thumb,
  }
  const before = structuredClone(value)
  const signed = await images.sign('7.1', value)
  const address = (path: string, size: string) =>
    `/api/plex/images/7.1/${Buffer.from(`7.1 ${path}`).toString('hex')}/${size}${path}`
  expect(signed).toEqual({
    data: [
      { title: 'One', images: { poster: address(thumb, 'w480'), art: address(art, 'w1280') } },
      { title: 'Two', related: { items: [{ images: { poster: address(thumb, 'w480') } }] } },
    ],
    meta: { count: 2, images: 'a word' },
    guid: thumb,
  })
  expect(value, 'the value itself is left alone').toEqual(before)
})

test('a path of Plex that may not be shown is left out, not passed on', async () => {
  const value = { images: { poster: '/library/parts/1/1/file.mkv', art: 'https://plex.example/x', other: 3 } }
  expect(await images.sign('7.1', value)).toEqual({ images: {} })
})

test('one picture is signed once, however many show it', async () => {
  signings = 0
  await images.sign(
    '7.1',
    Array.from({ length: 100 }, () => ({ images: { poster: thumb } })),
  )
  expect(signings).toBe(1)
})

test('a value without pictures comes out as it went in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      if (JSON.stringify(value).includes('images')) return
      expect(await images.sign('7.1', value)).toEqual(value)
    }),
  )
})
