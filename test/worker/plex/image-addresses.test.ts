import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { configOf } from '../../../src/config.ts'
import { createImageSignatures } from '../../../src/platform/image-signatures.ts'
import { isImageSize } from '../../../src/plex/image-paths.ts'
import { ask, expectProblem, signIn } from '../support/client.ts'
import { addressOf, partsOf, picturesOf, type Parts } from './pictures.ts'
import { askedOfPlex, startOver } from './support.ts'

const olivia = await signIn('olivia')
let genuine: Parts

beforeAll(async () => {
  await startOver()
  genuine = partsOf((await picturesOf(olivia))().poster)
})
afterAll(startOver)

const signatures = createImageSignatures(configOf(env).accessTokenKeys)

/** An address that is ours in every respect but what it names. */
async function signed(path: string, size = 'w240', scope = genuine.scope): Promise<string> {
  return addressOf({ scope, signature: await signatures.sign(`${scope} ${path}`), size, path })
}

/** Each is unknown, in the same words, and Plex hears of none. */
async function expectUnknown(addresses: readonly string[]): Promise<void> {
  const asked = await askedOfPlex(async () => {
    for (const address of addresses) {
      const body = await expectProblem(await ask('GET', address), 'not-found')
      expect(Object.keys(body).toSorted(), address).toEqual([
        'code',
        'instance',
        'requestId',
        'status',
        'title',
        'type',
      ])
    }
  })
  expect(asked).toEqual([])
}

test('the yardstick of the forgeries is accepted', async () => {
  expect((await ask('GET', await signed(genuine.path))).status).toBe(200)
})

const letter = fc.constantFrom(...'ABCXYZabcxyz0189-_.')
/** One letter replaced, dropped or added. */
const slip = (text: string) =>
  fc
    .tuple(fc.nat({ max: text.length - 1 }), letter, fc.constantFrom(0, 1), fc.boolean())
    .map(([at, put, taken, drop]) => text.slice(0, at) + (drop ? '' : put) + text.slice(at + taken))
    .filter((changed) => changed !== text && changed !== '')

test('an address with any part of it changed is unknown', async () => {
  const changed = fc
    .constantFrom('scope', 'signature', 'size', 'path')
    .chain((part) => slip(genuine[part]).map((value) => ({ ...genuine, [part]: value })))
    // Another step of the ladder is no forgery; a browser takes a part of dots for a step.
    .filter(({ size }) => size === genuine.size || !isImageSize(size))
    .filter(({ path, scope }) => path.startsWith('/') && !/^\.+$/.test(scope))
  await fc.assert(
    fc.asyncProperty(changed, async (parts) => expectUnknown([addressOf(parts)])),
    { numRuns: 80 },
  )
})

test('a signature has one spelling', async () => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = letters.indexOf(genuine.signature.at(-1) ?? '')
  const same = [1, 2, 3].map((spare) => genuine.signature.slice(0, -1) + (letters[last ^ spare] ?? ''))
  await expectUnknown(
    [...same, `${genuine.signature}=`, ''].map((signature) => addressOf({ ...genuine, signature })),
  )
})

test('parts of two good addresses make no third', async () => {
  const next = await picturesOf(olivia)
  next()
  const other = partsOf(next().poster)
  const frank = partsOf((await picturesOf(await signIn('frank')))().poster)
  await expectUnknown([
    addressOf({ ...genuine, path: other.path }),
    addressOf({ ...genuine, signature: other.signature }),
    addressOf({ ...genuine, scope: frank.scope }),
    addressOf({ ...genuine, path: frank.path, scope: frank.scope }),
  ])
})

test('a size that is not on the ladder is unknown', async () => {
  const sizes = ['w0', 'w1', 'w241', 'w99999', 'W240', 'w240.0', 'w-240', '240', 'w', 'original', 'w240px']
  await expectUnknown(sizes.map((size) => addressOf({ ...genuine, size })))
})

/** What a picture transcoder, which fetches what it is given, must never be given. */
const corpus = [
  'http://169.254.169.254/latest/meta-data',
  'https://attacker.example/library/metadata/1/thumb/1',
  '//attacker.example/library/metadata/1/thumb/1',
  'file:///etc/passwd',
  'data:image/png;base64,AAAA',
  '/',
  '/identity',
  '/status/sessions',
  '/:/prefs',
  '/:/resources/movie.png',
  '/photo/:/transcode',
  '/library/sections/1/all',
  '/library/metadata/1',
  '/library/metadata/1/thumb',
  '/library/metadata/1/thumb/',
  '/library/metadata/1/thumb/1/2',
  '/library/metadata/1/thumb/1.jpg',
  '/library/metadata/1/thumb/x',
  '/library/metadata/x/thumb/1',
  '/library/metadata/1,2/thumb/1',
  '/library/metadata/-1/thumb/1',
  '/library/metadata/1/theme/1',
  '/library/metadata/1/file/1',
  '/library/metadata/1/thumb/1@attacker.example',
  '/library/parts/1/1/file.mkv',
  '/library/sections/1/thumb/1',
  '/library/collections//composite/1',
  '/LIBRARY/metadata/1/thumb/1',
  '/library/metadata/١/thumb/1',
  '/library/metadata/1/thumb/1;x=1',
  '/library/metadata/1/thumb/99999999999999999999',
]

test('nothing but a versioned picture of a library is fetched, even at an address we had signed', async () => {
  await expectUnknown(await Promise.all(corpus.map((path) => signed(path))))
})

test('a path has one spelling: nothing in it is encoded, and no step leads out of it', async () => {
  const tail = genuine.path.slice('/library/metadata/'.length)
  const head = `/api/plex/images/${genuine.scope}/${genuine.signature}/w240`
  await expectUnknown([
    `${head}/library%2Fmetadata%2F${tail}`,
    `${head}%2Flibrary/metadata/${tail}`,
    `${head}/library/metadata/${tail.replace(/\/(\d+)$/, '%2F$1')}`,
    `${head}/library/%6Detadata/${tail}`,
    `${head}/library/metadata/${tail}%00`,
    `${head}/library/metadata/${tail}%0a`,
    `${head}/library/metadata/${tail}%20`,
    `${head}/library/metadata/${tail}%3Fx`,
    `${head}/library/metadata/${tail}%23x`,
    `${head}/library/metadata/${tail}/%2e%2e/1`,
    `${head}/library/metadata/..%2f..%2f${tail}`,
    `${head}/library/metadata/%252e%252e/${tail}`,
    `${head}//library/metadata/${tail}`,
    `${head}/library//metadata/${tail}`,
    `${head}/library/metadata/${tail}/`,
    `${head}/library/metadata/${tail}/../../../../status/sessions`,
    `${head}/http:/attacker.example`,
    `${head}/library\\metadata\\${tail}x`,
    `/api/plex/images/${genuine.scope}/${genuine.signature}/w240`,
    `/api/plex/images/${genuine.scope}/${genuine.signature}`,
    '/api/plex/images',
  ])
})

test('a scope is a user and a version, and nothing that could name another object', async () => {
  const [userId = '', version = ''] = genuine.scope.split('.')
  const scopes = [
    userId,
    `${userId}.`,
    `.${version}`,
    `${userId}.${version}.1`,
    `${userId}.0${version}0`,
    `${userId}.-1`,
    `${userId}.${version}e0`,
    `nobody.${version}`,
    `nobody.0`,
    `${userId}x.${version}`,
  ]
  await expectUnknown(await Promise.all(scopes.map((scope) => signed(genuine.path, 'w240', scope))))
})

test('a query is refused, and reaches nobody', async () => {
  const asked = await askedOfPlex(async () => {
    for (const query of ['url=http://attacker.example', 'X-Plex-Token=x', 'width=9999', 'v=1']) {
      await expectProblem(await ask('GET', `${addressOf(genuine)}?${query}`), 'invalid-request')
    }
  })
  expect(asked).toEqual([])
})
