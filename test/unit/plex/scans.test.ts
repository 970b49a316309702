import { expect, test } from 'vitest'

import type { Caller } from '../../../src/http/env.ts'
import type { Place } from '../../../src/plex/location.ts'
import type { KnownScans } from '../../../src/plex/scan-list.ts'
import { RefreshLibrary, ScanPath } from '../../../src/plex/scan-schema.ts'
import type { ScanRequest } from '../../../src/plex/scan.ts'
import { createScans } from '../../../src/plex/scans.ts'

const caller: Caller = { userId: '7', sessionId: 's', role: 'admin', scope: '7.1' }
const pathRules = [
  { from: '/data', to: '/media' },
  { from: '/downloads/tv', to: 'D:\\TV' },
]
const somewhere: readonly Place[] = [
  { libraryKey: '1', type: 'movie', title: 'Films', locations: ['/media/films'] },
  { libraryKey: '2', type: 'show', title: 'Séries', locations: ['/media/tv', 'D:\\TV'] },
  { libraryKey: '3', type: 'show', title: 'Children', locations: ['/media/tv/children'] },
]
const none: KnownScans = { queued: [], running: [], ended: [] }

function create({ isPlexAway = false, known = none } = {}) {
  const requests: ScanRequest[] = []
  const audit: string[] = []
  const scans = createScans({
    server: () => ({
      places: async () => (isPlexAway ? undefined : somewhere),
      async requestScan(request) {
        requests.push(request)
        return 'scan-1'
      },
      scans: async () => known,
    }),
    audit: async ({ actor, action, target }) => void audit.push(`${actor} ${action} ${target}`),
    pathRules,
  })
  return { scans, requests, audit }
}

test.each([
  ['/data/films/A (2000)/A.mkv', '1', '/media/films/A (2000)', '/media/films/A (2000)/A.mkv'],
  ['/media/films/A (2000)', '1', '/media/films/A (2000)', undefined],
  ['/media/tv/Show', '2', '/media/tv/Show', undefined],
  ['/media/tv/children/Show', '3', '/media/tv/children/Show', undefined],
  ['/downloads/tv/Show/S01/E01.mkv', '2', 'D:\\TV\\Show\\S01', 'D:\\TV\\Show\\S01\\E01.mkv'],
  ['d:/tv/Show', '2', 'd:/tv/Show', undefined],
  ['/media/films/A/A.nfo', '1', '/media/films/A', undefined],
])('%s is scanned in library %s as %s', async (asked, libraryKey, path, file) => {
  const { scans, requests, audit } = create()
  expect(await scans.scan(caller, asked)).toEqual({ scanId: 'scan-1', libraryKey, path, state: 'queued' })
  const requester = { kind: 'user', userId: '7', ...(file && { file }) }
  expect(requests).toEqual([{ libraryKey, path, requester }])
  expect(audit).toEqual([`7 plex.scan ${path}`])
})

test.each(['/media/tv2/Show', '/media', '/downloads/films', 'C:\\TV\\Show'])(
  '%s is in no library',
  async (asked) => {
    const { scans, requests } = create()
    await expect(scans.scan(caller, asked)).rejects.toMatchObject({ code: 'invalid-request' })
    expect(requests).toEqual([])
  },
)

test('while Plex does not say what it has, a path is taken as it is', async () => {
  const { scans } = create({ isPlexAway: true })
  expect(await scans.scan(caller, '/data/x')).toEqual({ scanId: 'scan-1', path: '/media/x', state: 'queued' })
})

test('everything is read anew only by who names the library', async () => {
  const { scans, requests, audit } = create()
  for (const confirm of [undefined, '', 'series', 'Films']) {
    const asked = scans.refresh(caller, '2', { force: true, confirm })
    await expect(asked).rejects.toMatchObject({ code: 'invalid-request' })
  }
  await scans.refresh(caller, '2', { force: true, confirm: 'Se\u0301ries' })
  expect(requests).toMatchObject([{ libraryKey: '2', force: true }])
  expect(audit).toEqual(['7 plex.refresh-all 2'])
})

test('a path must be whole, without dots and without what no name holds', () => {
  for (const path of [
    '',
    'films',
    'C:films',
    '/media/../etc',
    '/a/./b',
    'C:\\a\\..\\b',
    '/a\nb',
    '/a\0b',
    `/${'a'.repeat(1_024)}`,
  ]) {
    expect(ScanPath.safeParse({ path }).success, path).toBe(false)
    expect(RefreshLibrary.safeParse({ path }).success, path).toBe(false)
  }
  for (const path of ['/media', '/media/..hidden', 'C:\\Films', '\\\\nas\\films', '/a b/ü']) {
    expect(ScanPath.safeParse({ path }).success, path).toBe(true)
  }
})

const queued = {
  ids: ['first', 'second'],
  path: '/media/tv/Show',
  libraryKey: '2',
  force: false,
  pending: { firstAt: 1_000, lastAt: 3_000, count: 4 },
  onlookers: 2,
  attempts: 1,
  notBefore: 0,
  startsAt: 8_000,
}

test('a scan is found under each of its names', async () => {
  const { scans } = create({ known: { ...none, queued: [queued] } })
  const shown = {
    state: 'queued',
    libraryKey: '2',
    path: '/media/tv/Show',
    force: false,
    requests: 4,
    requestedAt: '1970-01-01T00:00:01.000Z',
    startsAt: '1970-01-01T00:00:08.000Z',
    attempts: 1,
  }
  expect(await scans.read('first')).toEqual({ id: 'first', ...shown })
  expect(await scans.read('second')).toEqual({ id: 'second', ...shown })
  await expect(scans.read('third')).rejects.toMatchObject({ code: 'not-found' })
})

test('what runs comes first, then what waits, then what is over', async () => {
  const { startsAt: _startsAt, ...scan } = queued
  const running = { scan: { ...scan, ids: ['r'] }, libraryKey: '2', since: 0, checkAt: 0 }
  const ended = { ids: ['e'], force: true, libraryKey: '1', requests: 1, requestedAt: 0, endedAt: 5_000 }
  const { scans } = create({
    known: {
      queued: [queued],
      running: [
        { ...running, phase: 'scanning', progress: 40 },
        { ...running, phase: 'looking' },
      ],
      ended: [{ ...ended, outcome: 'seen', awaited: 2, found: 2 }],
    },
  })
  expect(await scans.list()).toMatchObject([
    { id: 'r', state: 'scanning', progressPercent: 40 },
    { id: 'r', state: 'looking' },
    { id: 'first', state: 'queued' },
    { id: 'e', state: 'seen', files: { awaited: 2, seen: 2 }, endedAt: '1970-01-01T00:00:05.000Z' },
  ])
})
