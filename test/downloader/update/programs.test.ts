import fc from 'fast-check'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi, type TestContext } from 'vitest'
import { alone } from '../../../downloader/update/alone.ts'
import { installed, isNewer, openPrograms } from '../../../downloader/update/programs.ts'
import { dueAt, scheduleUpdates } from '../../../downloader/update/schedule.ts'
import {
  preferInstalled,
  restore,
  update,
  type RollBackReason,
  type Updater,
} from '../../../downloader/update/update.ts'
import { isAtRest } from '../../../downloader/update/upkeep.ts'
import type { YtDlpFacts } from '../../../downloader/versions.ts'
import { startReleases } from '../support/releases.ts'

async function folderOf({ onTestFinished }: Pick<TestContext, 'onTestFinished'>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-programs-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const [oldest, older, newest] = ['2026.10.01', '2026.10.26', '2026.11.20'] as const
const hourMs = 60 * 60_000

test('what is in use is looked up anew, and is what was installed when nothing else is there', async (context) => {
  const programs = openPrograms(await folderOf(context), '/opt/yt-dlp')
  expect(programs.path()).toBe('/opt/yt-dlp')
  const file = await programs.add(newest, Buffer.from('new'))
  expect(programs.path()).toBe('/opt/yt-dlp')
  await programs.choose({ inUse: newest, previous: installed, setAside: [] }, new Date())
  expect(programs.path()).toBe(file)
  expect(await readFile(file, 'utf8')).toBe('new')
  await programs.discard(newest)
  expect(programs.path()).toBe('/opt/yt-dlp')
})

test('the one before is kept, and older ones until nothing can be running them', async (context) => {
  const folder = await folderOf(context)
  const programs = openPrograms(folder, '/opt/yt-dlp')
  for (const version of [oldest, older, newest]) await programs.add(version, Buffer.from(version))
  const now = Date.now()
  await programs.choose({ inUse: oldest, setAside: [] }, new Date(now))
  await programs.choose({ inUse: older, previous: oldest, setAside: [] }, new Date(now))
  await programs.choose({ inUse: newest, previous: older, setAside: [] }, new Date(now))
  const kept = async (hours: number): Promise<string[]> => {
    await programs.prune(new Date(now + hours * hourMs))
    return (await readdir(folder)).sort()
  }
  const both = ['yt-dlp-2026.10.26', 'yt-dlp-2026.11.20', 'yt-dlp.json']
  expect(await kept(23)).toEqual(['yt-dlp-2026.10.01', ...both])
  expect(await kept(25)).toEqual(both)
})

test('what came with a newer downloader is preferred to what was fetched', async (context) => {
  const programs = openPrograms(await folderOf(context), '/opt/yt-dlp')
  await programs.add(older, Buffer.from('fetched'))
  const installedIs = (version: string) => {
    const ask: Updater['ask'] = async () => ({ version })
    return preferInstalled({ programs, ask, now: () => new Date() })
  }
  await programs.choose({ inUse: older, previous: installed, setAside: [] }, new Date())
  await installedIs(oldest)
  expect(programs.choice().inUse).toBe(older)
  await installedIs(newest)
  expect(programs.choice()).toEqual({ inUse: installed, previous: older, setAside: [] })
})

test('who went back from what came with the downloader does not get it again, until there is a newer one', async (context) => {
  const { updater, programs } = await updaterOf(context, { ask: asking({ version: newest }, {}) })
  await programs.add(older, Buffer.from('fetched'))
  await programs.choose({ inUse: older, previous: installed, setAside: [oldest] }, new Date())
  const ask: Updater['ask'] = async (program) => ({ version: program === '/opt/yt-dlp' ? newest : older })
  const now = { ...updater, ask }
  await preferInstalled(now)
  expect(programs.choice().inUse).toBe(installed)

  expect(await restore(now)).toEqual({ kind: 'restored', from: newest, to: older })
  const back = { inUse: older, previous: installed, setAside: [oldest, newest] }
  expect(programs.choice()).toEqual(back)
  await preferInstalled(now)
  expect(await update(now, { unasked: true })).toEqual({ kind: 'set-aside', version: newest })
  expect(programs.choice()).toEqual(back)

  expect(await restore(now)).toEqual({ kind: 'restored', from: older, to: newest })
  const forth = { inUse: installed, previous: older, setAside: [oldest, older] }
  expect(programs.choice()).toEqual(forth)
  await restore(now)
  const later = '2026.11.21'
  await preferInstalled({ ...now, ask: async () => ({ version: later }) })
  expect(programs.choice()).toEqual({ inUse: installed, previous: older, setAside: [oldest, newest] })
})

test('going back from a build of one’s own leaves the choice readable', async (context) => {
  const { updater, programs } = await updaterOf(context, { ask: asking({ version: 'custom' }, {}) })
  await programs.choose({ inUse: installed, previous: older, setAside: [] }, new Date())
  await restore(updater)
  expect(programs.choice()).toEqual({ inUse: older, previous: installed, setAside: [] })
})

test('versions are ordered by day and further number', () => {
  expect(isNewer('2026.11.20', '2026.11.20')).toBe(false)
  expect(isNewer('2026.11.20.1', '2026.11.20')).toBe(true)
  expect(isNewer('2026.11.20', 'custom')).toBeUndefined()
  const version = fc
    .tuple(
      fc.integer({ min: 2025, max: 2028 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 28 }),
    )
    .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join('.'))
  fc.assert(
    fc.property(version, version, (one, other) => {
      // With leading zeros they sort as text.
      expect(isNewer(one, other)).toBe(one > other)
    }),
  )
})

test('only one at a time does the work', async (context) => {
  const lock = join(await folderOf(context), 'lock')
  const inner = await alone(lock, () => alone(lock, async () => 'both'))
  expect(inner).toBeUndefined()
  await expect(alone(lock, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await alone(lock, async () => 'again')).toBe('again')
})

test('it is looked once a day, not by all at the same hour, and sooner when it is known to be old', () => {
  const at = 1_800_000_000_000
  expect(dueAt(undefined, at, ['ytdlp-missing'], 1)).toBe(at)
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (lot) => {
      expect(Math.abs(dueAt(at, 0, [], lot) - at - 24 * hourMs)).toBeLessThanOrEqual(2 * hourMs)
      expect(dueAt(at, 0, ['low-space'], lot)).toBe(dueAt(at, 0, [], lot))
      for (const trouble of ['ytdlp-old', 'ytdlp-outdated'] as const) {
        expect(dueAt(at, 0, [trouble], lot)).toBeGreaterThanOrEqual(at + 4 * hourMs)
        expect(dueAt(at, 0, [trouble], lot)).toBeLessThanOrEqual(at + 5 * hourMs)
      }
    }),
  )
  expect(dueAt(at, 0, [], 0)).toBeLessThan(dueAt(at, 0, [], 1))
})

test('a site that wants to be left alone is not visited by a canary, and afterwards at once', async ({
  onTestFinished,
}) => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  let resting = true
  const [check, remember] = [vi.fn(async () => ({ kind: 'busy' }) as const), vi.fn(async () => undefined)]
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const stop = scheduleUpdates({
    check,
    remember,
    isSiteAtRest: () => resting,
    troubles: () => ['ytdlp-missing'],
    onUpdated: () => undefined,
    lastCheck: async () => undefined,
    now: Date.now,
    random: () => 0,
    log,
  })
  onTestFinished(stop)
  await vi.advanceTimersByTimeAsync(hourMs)
  expect([check, remember].map(({ mock }) => mock.calls.length)).toEqual([0, 0])
  resting = false
  await vi.advanceTimersByTimeAsync(5 * 60_000)
  expect([check, remember].map(({ mock }) => mock.calls.length)).toEqual([1, 1])
})

test('it is the site of the canary that matters, and what it has asked for', () => {
  const canary = 'https://youtu.be/jNQXAC9IVRw'
  const at = { site: 'youtube.com', reason: 'bot-check', waitMs: 1 } as const
  expect(isAtRest([at], canary)).toBe(true)
  expect(isAtRest([{ ...at, reason: 'rate-limited' }], canary)).toBe(true)
  for (const other of [{ site: 'vimeo.com' }, { reason: 'pace' }, { waitMs: 0 }] as const)
    expect(isAtRest([{ ...at, ...other }], canary)).toBe(false)
})

test('what a person went back from is not taken unasked', async (context) => {
  const { updater, programs } = await updaterOf(context, {})
  await programs.choose({ inUse: installed, setAside: [newest] }, new Date())
  expect(await update(updater, { unasked: true })).toEqual({ kind: 'set-aside', version: newest })
  expect(await update(updater)).toEqual({ kind: 'updated', from: older, to: newest })
  expect(programs.choice()).toEqual({ inUse: newest, previous: installed, setAside: [] })
})

const refusals: readonly (readonly [RollBackReason, Partial<Updater>])[] = [
  ['no-program-for-this-machine', { asset: async () => undefined }],
  ['no-checksum', { asset: async () => 'yt-dlp_other' }],
  ['unreachable', { releases: 'http://127.0.0.1:1/releases' }],
  ['challenge-solver-lost', { ask: asking({ challengeSolver: '0.8.0' }, {}) }],
  ['js-runtime-lost', { ask: asking({ jsRuntime: 'node-24.21.0' }, {}) }],
  ['interrupted', { signal: AbortSignal.abort() }],
]

test.for(refusals)('the old one stays: %s', async ([reason, changes], context) => {
  const { updater, programs, folder } = await updaterOf(context, changes)
  expect(await update(updater)).toMatchObject({ kind: 'rolled-back', to: older, reason })
  expect(programs.path()).toBe('/opt/yt-dlp')
  expect(await readdir(folder)).toEqual([])
})

/** Says this of the installed program and that of the one that is tried. */
function asking(ofInstalled: Partial<YtDlpFacts>, ofTried: Partial<YtDlpFacts>): Updater['ask'] {
  return async (program) =>
    program === '/opt/yt-dlp' ? { version: older, ...ofInstalled } : { version: newest, ...ofTried }
}

async function updaterOf(context: TestContext, changes: Partial<Updater>) {
  const [folder, releases] = await Promise.all([folderOf(context), startReleases(context)])
  releases.publish(newest, Buffer.from('a program'))
  const programs = openPrograms(folder, '/opt/yt-dlp')
  const updater: Updater = {
    programs,
    releases: releases.url,
    asset: async () => 'yt-dlp',
    ask: asking({}, {}),
    canary: async () => undefined,
    signal: new AbortController().signal,
    now: () => new Date(),
    ...changes,
  }
  return { folder, programs, updater }
}
