import { expect, test } from 'vitest'

import type { Requester } from '../../../src/plex/scan.ts'
import { createScanningWorld, download, user } from './scanning-world.ts'

const folder = '/media/youtube/Channel'
const minutes = 60_000

test('a thousand requests for ten folders are ten scans, and all thousand learn what happened', async () => {
  const { world, create, runUntil, isIdle, outcomes } = createScanningWorld()
  const folders = Array.from({ length: 10 }, (_, n) => `/media/youtube/Channel ${n}`)
  const asked = Array.from({ length: 1_000 }, (_, i) => {
    const path = folders[i % 10] ?? ''
    const file = `${path}/${i}.mp4`
    if (i % 3 > 0) world.shown.set(`${path}/there.mp4`, 'any').set(file, `key of ${i}`)
    const requesters = [
      download(file),
      { kind: 'delivery', deliveryId: i },
      { kind: 'user', userId: `u${i}`, file },
    ]
    return { path, requester: requesters[i % 7 === 0 ? 0 : (i % 2) + 1] as Requester }
  })
  const scanIds = asked.map((request) => {
    world.now += 1
    return create().request(request)
  })
  await runUntil(world.now + 10 * minutes)
  expect(world.refreshes.map(({ path }) => path).toSorted()).toEqual(folders)
  expect(new Set(scanIds).size).toBe(10)
  const told = new Map(world.told.map(({ requester, scanId }) => [JSON.stringify(requester), scanId]))
  expect(world.told).toHaveLength(1_000)
  for (const [i, { requester }] of asked.entries()) {
    expect(told.get(JSON.stringify(requester))).toBe(scanIds[i])
    const one = world.told.find((one) => JSON.stringify(one.requester) === JSON.stringify(requester))
    if (requester.kind !== 'delivery') expect(one?.outcome).toBe(i % 3 > 0 ? 'seen' : 'not-seen')
  }
  expect(outcomes()).toHaveLength(10)
  expect(isIdle()).toBe(true)
})

test('of those who only look on so many are noted, of downloads all', async () => {
  const { create, world, runUntil } = createScanningWorld()
  const scanning = create()
  for (let i = 0; i < 5_100; i += 1) {
    scanning.request({ libraryKey: '2', requester: { kind: 'delivery', deliveryId: i } })
  }
  for (let i = 0; i < 10; i += 1) {
    scanning.request({ libraryKey: '2', requester: download(`/media/youtube/${i}.mp4`) })
  }
  await runUntil(world.now + minutes)
  const kinds = world.told.map(({ requester }) => requester.kind)
  expect(kinds.filter((kind) => kind === 'download')).toHaveLength(10)
  expect(kinds.filter((kind) => kind === 'delivery')).toHaveLength(5_000)
})

test('who asks twice is told once', async () => {
  const { world, create, runUntil } = createScanningWorld()
  for (let i = 0; i < 5; i += 1) create().request({ path: folder, requester: user })
  await runUntil(world.now + minutes)
  expect(world.told).toHaveLength(1)
})

test('of a folder Plex is asked whether it shows anything in it', async () => {
  const { world, create, runUntil, outcomes } = createScanningWorld()
  world.shown.set(`${folder}2/a.mp4`, '1')
  create().request({ path: folder, requester: user })
  await runUntil(world.now + minutes)
  expect(outcomes()).toEqual(['not-seen'])
  world.shown.set(`${folder}/a.mp4`, '2')
  create().request({ path: folder, requester: user })
  await runUntil(world.now + minutes)
  expect(outcomes()).toEqual(['seen', 'not-seen'])
  create().request({ libraryKey: '1', requester: user })
  await runUntil(world.now + minutes)
  expect(outcomes()[0]).toBe('scanned')
})

test('a library that is not there, or a folder outside of it, is not scanned, and who asked is told', async () => {
  const { world, create, runUntil, isIdle } = createScanningWorld()
  create().request({ libraryKey: '9', requester: user })
  create().request({ libraryKey: '1', path: folder, requester: user })
  await runUntil(world.now + minutes)
  world.isGone = true
  create().request({ libraryKey: '2', requester: user })
  await runUntil(world.now + minutes)
  expect(world.refreshes).toEqual([])
  expect(world.told.map(({ outcome }) => outcome)).toEqual(['no-library', 'no-library', 'no-library'])
  expect(isIdle()).toBe(true)
})

test('a scan that Plex cannot be told of for a day is given up, and who asked is told', async () => {
  const { world, create, runUntil, isIdle } = createScanningWorld()
  world.isUp = false
  create().request({ path: folder, requester: download(`${folder}/a.mp4`) })
  await runUntil(world.now + 23 * 60 * minutes)
  expect(world.told).toEqual([])
  await runUntil(world.now + 2 * 60 * minutes)
  expect(world.told.map(({ outcome }) => outcome)).toEqual(['gave-up'])
  expect(isIdle()).toBe(true)
})

test('a scan that does not end is given up, and one of everything anew has longer', async () => {
  const { world, create, runUntil, outcomes } = createScanningWorld()
  world.scanMs = 2 * 60 * minutes
  create().request({ libraryKey: '1', requester: user })
  create().request({ libraryKey: '2', force: true, requester: user })
  await runUntil(world.now + 60 * minutes, 10_000)
  expect(outcomes()).toEqual(['gave-up'])
  await runUntil(world.now + 61 * minutes, 10_000)
  expect(outcomes()).toEqual(['scanned', 'gave-up'])
  expect(world.forced).toBe(1)
})

test('what is read anew is another scan than what is looked through', async () => {
  const { world, create, runUntil } = createScanningWorld()
  create().request({ libraryKey: '2', requester: user })
  create().request({ libraryKey: '2', force: true, requester: user })
  await runUntil(world.now + 2 * minutes)
  expect(world.refreshes).toHaveLength(2)
  expect(world.forced).toBe(1)
})

test('while the files of one scan are looked for, the next one of the library begins', async () => {
  const { world, create, runUntil } = createScanningWorld()
  create().request({ path: `${folder} A`, requester: download(`${folder} A/a.mp4`) })
  create().request({ path: `${folder} B`, requester: download(`${folder} B/b.mp4`) })
  await runUntil(world.now + 12_000)
  expect(world.refreshes).toHaveLength(2)
  expect(world.ended).toEqual([])
})

test('a folder named with its library and the same folder named alone are one scan', async () => {
  const { world, create, runUntil } = createScanningWorld()
  const alone = create().request({ path: folder, requester: user })
  const named = create().request({ path: folder, libraryKey: '2', requester: download(`${folder}/a.mp4`) })
  await runUntil(world.now + minutes)
  expect(world.refreshes).toHaveLength(1)
  expect(world.told.map(({ scanId }) => scanId).toSorted()).toEqual([alone, named].toSorted())
})

test('the progress is what Plex says, while it does', async () => {
  const { world, create, runUntil } = createScanningWorld()
  world.scanMs = 10_000
  create().request({ libraryKey: '2', requester: user })
  world.progress = 40
  await runUntil(world.now + 8_000)
  expect(create().list().running).toMatchObject([{ phase: 'scanning', progress: 40 }])
  world.progress = undefined
  await runUntil(world.now + 2_000)
  expect(create().list().running[0]?.progress).toBeUndefined()
})
