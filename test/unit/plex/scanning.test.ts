import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { Requester } from '../../../src/plex/scan.ts'
import { createScanningWorld, download, user } from './scanning-world.ts'

const folder = '/media/youtube/Channel'
const minutes = 60_000

test('a thousand requests for one folder are one scan', async () => {
  const { world, create, runUntil, isIdle } = createScanningWorld()
  const scanning = create()
  for (let i = 0; i < 1_000; i += 1) {
    const path = i % 2 ? `${folder}/` : folder
    scanning.request({ path, requester: { kind: 'delivery', deliveryId: i } })
    world.now += 1
  }
  await runUntil(world.now + minutes)
  expect(world.refreshes).toEqual([{ libraryKey: '2', path: folder, at: 1_000_999 + 5_000 }])
  expect(world.ended).toEqual([{ libraryKey: '2', found: {} }])
  expect(world.told).toHaveLength(1_000)
  expect(isIdle()).toBe(true)
})

test('a folder that never falls quiet is scanned after the longest wait', async () => {
  const { world, create, runUntil } = createScanningWorld()
  for (let i = 0; i < 30; i += 1) {
    create().request({ path: folder, requester: user })
    await runUntil(world.now + 4_000)
  }
  expect(world.refreshes.map(({ at }) => at - 1_000_000).slice(0, 1)).toEqual([60_000])
})

test('a library has one scan at a time, and another library need not wait for it', async () => {
  const { world, create, runUntil } = createScanningWorld()
  world.scanMs = 20_000
  create().request({ libraryKey: '2', path: '/media/youtube/A', requester: user })
  create().request({ libraryKey: '2', path: '/media/youtube/B', requester: user })
  create().request({ libraryKey: '1', requester: user })
  await runUntil(world.now + 5 * minutes)
  const startOf = (path: string | undefined) => world.refreshes.find((scan) => scan.path === path)?.at ?? 0
  expect(world.refreshes).toHaveLength(3)
  expect(startOf('/media/youtube/B') - startOf('/media/youtube/A')).toBeGreaterThanOrEqual(20_000)
  expect(startOf(undefined)).toBe(startOf('/media/youtube/A'))
})

test('a scan that somebody else has started is waited for', async () => {
  const { world, create, runUntil } = createScanningWorld()
  world.scansUntil.set('2', world.now + 40_000)
  create().request({ path: folder, requester: user })
  await runUntil(world.now + 2 * minutes)
  expect(world.refreshes.map(({ at }) => at - 1_000_000)).toEqual([40_000])
})

test('while a scan runs, Plex is asked after it about once a second', async () => {
  const { world, create, runUntil } = createScanningWorld()
  world.scanMs = 10 * minutes
  create().request({ libraryKey: '2', requester: user })
  // This one is due and must wait, which must not make the rounds any denser.
  create().request({ path: folder, requester: user })
  await runUntil(world.now + 2 * minutes)
  expect(world.asked).toBeLessThan(130)
})

test('a download learns the rating key of its file once Plex shows it', async () => {
  const { world, create, runUntil, isIdle } = createScanningWorld()
  const file = `${folder}/a.mp4`
  create().request({ path: folder, requester: download(file) })
  await runUntil(world.now + 11_000)
  expect(world.ended).toEqual([])
  world.shown.set(file, '77')
  await runUntil(world.now + 2_000)
  expect(world.ended).toEqual([{ libraryKey: '2', found: { [file]: '77' } }])
  // Once for the scan, once more for what appeared after it.
  expect(world.changes).toEqual(['2', '2'])
  expect(isIdle()).toBe(true)
})

test('a file that never appears is given up, and the download told so', async () => {
  const { world, create, runUntil, isIdle } = createScanningWorld()
  create().request({ path: folder, requester: download(`${folder}/a.mp4`) })
  await runUntil(world.now + minutes)
  expect(world.ended).toEqual([{ libraryKey: '2', found: {} }])
  expect(isIdle()).toBe(true)
})

test('of a folder in no library there is no scan, and who waits is told', async () => {
  const { world, create, runUntil, isIdle } = createScanningWorld()
  create().request({ path: '/media/youtube2/Channel', requester: download('/media/youtube2/Channel/a.mp4') })
  await runUntil(world.now + minutes)
  expect(world.refreshes).toEqual([])
  expect(world.changes).toEqual([])
  expect(world.ended).toEqual([{ libraryKey: undefined, found: {} }])
  expect(isIdle()).toBe(true)
})

test('while Plex is down it is asked ever more rarely, and then scanned', async () => {
  const { world, create, runUntil, isIdle } = createScanningWorld()
  world.isUp = false
  create().request({ path: folder, requester: user })
  create().request({ libraryKey: '1', requester: user })
  await runUntil(world.now + 60 * minutes)
  expect(world.refreshes).toEqual([])
  expect(world.asked).toBeLessThan(70)
  world.isUp = true
  await runUntil(world.now + 6 * minutes)
  expect(world.refreshes.map(({ libraryKey }) => libraryKey).toSorted()).toEqual(['1', '2'])
  expect(isIdle()).toBe(true)
})

test('who asks while Plex is being told is not forgotten: there is a second scan', async () => {
  const { world, create, runUntil } = createScanningWorld()
  world.onRefresh = () => {
    world.onRefresh = () => undefined
    create().request({ path: folder, requester: user })
  }
  create().request({ path: folder, requester: user })
  await runUntil(world.now + 2 * minutes)
  expect(world.refreshes).toHaveLength(2)
})

test('who asks while Plex refuses a scan joins it, and neither is forgotten', async () => {
  const { world, create, runUntil } = createScanningWorld()
  const files = [`${folder}/a.mp4`, `${folder}/b.mp4`]
  const [first = '', second = ''] = files
  for (const file of files) world.shown.set(file, `key of ${file}`)
  world.refreshFails = 1
  world.onRefresh = () => {
    world.onRefresh = () => undefined
    create().request({ path: folder, requester: download(second) })
  }
  create().request({ path: folder, requester: download(first) })
  await runUntil(world.now + 2 * minutes)
  expect(world.refreshes).toHaveLength(1)
  const found = { [first]: `key of ${first}`, [second]: `key of ${second}` }
  expect(world.ended).toEqual([{ libraryKey: '2', found }])
})

test('when the one to be told is away, telling is tried again, and holds up nobody', async () => {
  const { world, create, runUntil, isIdle } = createScanningWorld()
  world.tellFails = 3
  create().request({ path: folder, requester: user })
  create().request({ libraryKey: '1', requester: user })
  await runUntil(world.now + 2 * minutes)
  expect(world.ended.map(({ libraryKey }) => libraryKey).toSorted()).toEqual(['1', '2'])
  expect(world.refreshes).toHaveLength(2)
  expect(isIdle()).toBe(true)
})

type Step =
  | { readonly kind: 'request'; readonly requester: Requester; readonly path: string }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'plex'; readonly isUp: boolean }
  | { readonly kind: 'tell-fails' }

const file = fc.nat(5).map((n) => `/media/youtube/Channel ${n % 2}/${n}.mp4`)
const step: fc.Arbitrary<Step> = fc.oneof(
  file.map((path) => ({
    kind: 'request' as const,
    requester: download(path),
    path: path.slice(0, path.lastIndexOf('/')),
  })),
  fc.integer({ min: 1, max: 20_000 }).map((ms) => ({ kind: 'wait' as const, ms })),
  fc.boolean().map((isUp) => ({ kind: 'plex' as const, isUp })),
  fc.constant({ kind: 'tell-fails' as const }),
)

test('whatever happens, each file that was waited for is scanned for later and its download told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { world, create, runUntil, isIdle } = createScanningWorld()
      const lastAsked = new Map<string, number>()
      for (const one of steps) {
        if (one.kind === 'request' && one.requester.kind === 'download') {
          create().request({ path: one.path, requester: one.requester })
          lastAsked.set(one.requester.file, world.now)
          world.shown.set(one.requester.file, `key of ${one.requester.file}`)
        }
        if (one.kind === 'plex') world.isUp = one.isUp
        if (one.kind === 'tell-fails') world.tellFails = 1
        if (one.kind === 'wait') await runUntil(world.now + one.ms)
      }
      world.isUp = true
      await runUntil(world.now + 60 * minutes)
      expect(isIdle()).toBe(true)
      for (const [path, at] of lastAsked) {
        const folderOfIt = path.slice(0, path.lastIndexOf('/'))
        expect(world.refreshes.some((scan) => scan.path === folderOfIt && scan.at >= at)).toBe(true)
        expect(world.ended.some(({ found }) => found[path] === `key of ${path}`)).toBe(true)
      }
    }),
    { numRuns: 150 },
  )
})
