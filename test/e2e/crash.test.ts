import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { isLive, until } from '../../scripts/local/readiness.ts'
import { chance, crashSeed } from './support/chance.ts'
import { systemForFile } from './support/shared-system.ts'
import { filesOf, mediaOf, programsOf, sha256Of } from './support/system.ts'
import { countOf, enter, type Viewer } from './support/wishes.ts'

/** So that there are some seconds to die in. */
const bytesPerSecond = 1_200_000

const system = systemForFile()
const within = { timeout: 10_000, interval: 50 }
const undisturbed = { files: [] as string[], sha256: '' }
let frank: Viewer

const videoUrl = (): string => `${system().world.videoSite.url}/watch/rate=${bytesPerSecond}/slow`
const videoBytes = (): number => system().world.videoSite.video('slow').bytes

beforeAll(async () => {
  frank = await enter(system(), system().demo.friends[0])
  const id = await frank.ask(videoUrl())
  await frank.hear(id, 'youtube:available')
  undisturbed.files = await filesOf(system())
  undisturbed.sha256 = await onlyFilm()
})

afterAll(() => frank.listener.close())

async function onlyFilm(): Promise<string> {
  const names = await mediaOf(system())
  expect(names).toHaveLength(1)
  return sha256Of(system(), names[0] ?? '')
}

const { between } = chance(crashSeed)

const fetched = (id: string, share: number) =>
  frank.hear(id, 'youtube:progress', ({ downloadedBytes = 0 }) => downloadedBytes > share * videoBytes())
const finishing = (id: string) => frank.hear(id, 'youtube:processing', ({ phase }) => phase !== 'scanning')

const moments: readonly (readonly [when: string, reach: (id: string) => Promise<unknown>])[] = [
  ['right after it is asked for', () => sleep(between(0, 800))],
  ['early', (id) => fetched(id, between(0.1, 0.3))],
  ['late', (id) => fetched(id, between(0.6, 0.85))],
  ['while the film is put into shape', (id) => finishing(id)],
  ['while it is put into the library', (id) => finishing(id).then(() => sleep(between(100, 600)))],
]

/** Where in the file each request began that was made for it from then on. */
function asked(since: number): number[] {
  return system()
    .world.videoSite.seen()
    .filter(({ method, path, at }) => at > since && method === 'GET' && path.endsWith('long.mp4'))
    .map(({ range = '' }) => Number(/^bytes=(\d+)-/.exec(range)?.[1] ?? 0))
}

async function killDownloader(): Promise<number> {
  const { downloader } = system()
  await downloader.kill('SIGKILL')
  const at = Date.now()
  downloader.start()
  return at
}

/** How far it had come, as its owner was told. */
const toldBytes = (id: string): number =>
  Math.max(0, ...frank.heard(id).map(({ data }) => Number(data.downloadedBytes ?? 0)))

async function expectOneGoodEnd(id: string): Promise<void> {
  await frank.hear(id, 'youtube:available')
  expect(await onlyFilm()).toBe(undisturbed.sha256)
  expect(await filesOf(system())).toEqual(undisturbed.files)
  const { status, attempt, progress, file } = await frank.read(id)
  expect({ status, attempt, progress, sha256: file?.sha256 }).toEqual({
    status: 'completed',
    attempt: 1,
    progress: 100,
    sha256: undisturbed.sha256,
  })
  await expect.poll(() => readdir(system().jobsFolder), within).toEqual([])
  await expect.poll(() => programsOf(system()), within).toEqual([])
}

function expectNothingToldTwice(id: string): void {
  const heard = frank.heard(id)
  const told = heard.map(({ event, data }) => `${event.replace('youtube:', '')} ${data.phase ?? ''}`.trim())
  const once = told.filter((what) => what.split(' ')[0] !== 'progress')
  expect(once).toEqual([...new Set(once)])
  // Some films are put into shape so fast that nobody sees it.
  const always = once.filter((what) => !/^processing (?:processing|placing)$/.test(what))
  expect(always).toEqual(['created', 'started', 'processing scanning', 'completed', 'available'])
  const percents = heard.filter(({ event }) => event === 'youtube:progress').map(({ data }) => data.progress)
  expect(percents).toEqual(percents.toSorted((a, b) => a - b))
}

test.each(moments)('a downloader killed %s leaves one whole film, fetched once', async (_, reach) => {
  await frank.clear()
  const id = await frank.ask(videoUrl())
  await reach(id)
  const had = toldBytes(id)
  const killedAt = await killDownloader()
  await expectOneGoodEnd(id)
  expectNothingToldTwice(id)
  // What is fetched already is not fetched again, but for what a program had not written yet.
  if (had > 0) for (const from of asked(killedAt)) expect(from).toBeGreaterThan(0.8 * had)
})

test('a Worker killed in the middle of a download disturbs it not at all', async () => {
  await frank.clear()
  const id = await frank.ask(videoUrl())
  await fetched(id, between(0.1, 0.4))
  const { worker, baseUrl, demo } = system()
  const [processId] = worker.processIds()
  if (processId === undefined) throw new Error('the Worker does not run')
  const killedAt = Date.now()
  process.kill(processId, 'SIGKILL')
  await until(() => isLive(baseUrl), 'the Worker does not come back')
  expect(worker.processIds()).not.toContain(processId)

  const again = await enter(system(), demo.friends[0])
  expect(again.listener.frames[0]?.data.downloads).toMatchObject([{ id }])
  const { file } = await again.see(id, 'available in Plex', ({ plex }) => plex !== undefined)
  expect(file?.sha256).toBe(undisturbed.sha256)
  expect(await onlyFilm()).toBe(undisturbed.sha256)
  expect(asked(killedAt)).toEqual([])
  const heard = [...frank.heard(id), ...again.heard(id)]
  for (const event of ['created', 'started', 'completed'])
    expect.soft(countOf(heard, `youtube:${event}`), event).toBeLessThan(2)
  expect(countOf(heard, 'youtube:failed')).toBe(0)
  again.listener.close()
})
