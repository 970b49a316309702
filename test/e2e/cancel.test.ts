import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { expectStatus, type Answer } from '../../scripts/demo/client.ts'
import { listen } from '../../scripts/demo/listener.ts'
import { systemForFile } from './support/shared-system.ts'
import { filesOf, programsOf } from './support/system.ts'
import { countOf, enter, type Viewer } from './support/wishes.ts'

const system = systemForFile()
let frank: Viewer

beforeAll(async () => {
  frank = await enter(system(), system().demo.friends[0])
})

afterAll(() => frank.listener.close())

/** A film that takes longer than any test waits. */
const longFilm = (name: string): string => `${system().world.videoSite.url}/watch/rate=20000/slow?${name}`

const cancel = (id: string): Promise<Answer> =>
  frank.client.post(`/api/youtube/downloads/${id}/cancel`, {}, frank.person)

const within = { timeout: 10_000, interval: 50 }
const programs = () => programsOf(system())
const jobs = () => readdir(system().jobsFolder)

async function expectNoTrace(): Promise<void> {
  await expect.poll(programs, within).toEqual([])
  await expect.poll(jobs, within).toEqual([])
  expect(await filesOf(system())).toEqual([])
}

/** Asked in every way there is. */
async function expectCancelled(id: string): Promise<void> {
  await frank.hear(id, 'youtube:cancelled')
  expect(await frank.read(id)).toMatchObject({ status: 'cancelled' })
  const path = '/api/youtube/downloads?status=cancelled'
  const { data } = expectStatus(await frank.client.get(path, frank.person), 200).body
  expect(data.map((listed: { id: string }) => listed.id)).toContain(id)
  const newcomer = await listen(frank.client, system().demo.liveUrl, frank.person)
  newcomer.close()
  expect(newcomer.frames[0]?.data.downloads).toEqual([])
  const again = await cancel(id)
  expect(again).toMatchObject({ status: 409, body: { code: 'download-finished' } })
  const heard = frank.heard(id)
  expect(countOf(heard, 'youtube:cancelled')).toBe(1)
  expect(heard.at(-1)?.event).toBe('youtube:cancelled')
}

const moments: readonly (readonly [
  when: string,
  wish: () => { url: string; quality?: string; format?: string },
  reach: (id: string) => Promise<unknown>,
])[] = [
  [
    'while yt-dlp looks at the page',
    () => ({ url: longFilm('looking') }),
    () => expect.poll(programs, within).not.toEqual([]),
  ],
  [
    'while it is fetched',
    () => ({ url: longFilm('fetching') }),
    (id) => frank.hear(id, 'youtube:progress', ({ downloadedBytes = 0 }) => downloadedBytes > 10_000),
  ],
  [
    'while ffmpeg works on it',
    () => ({ url: system().world.videoSite.video('heights').url, quality: 'best', format: 'webm' }),
    () =>
      expect.poll(async () => (await programs()).join('\n'), within).toMatch(/^ *\d+ \S*ffmpeg .*libvpx/m),
  ],
]

test.each(moments)('a download cancelled %s is gone within two seconds', async (_, wish, reach) => {
  const { url, ...rest } = wish()
  const id = await frank.ask(url, rest)
  await reach(id)
  const began = performance.now()
  expectStatus(await cancel(id), 200)
  await expectNoTrace()
  expect(performance.now() - began).toBeLessThan(2_000)
  await expectCancelled(id)
})

test('a download cancelled in the queue is never begun', async () => {
  const running = [await frank.ask(longFilm('one')), await frank.ask(longFilm('two'))]
  for (const id of running) await frank.hear(id, 'youtube:started')
  const id = await frank.ask(longFilm('three'))
  expect(await frank.read(id)).toMatchObject({ status: 'queued', waitingFor: 'slot' })
  const { body } = expectStatus(await cancel(id), 200)
  expect(body.data).toMatchObject({ status: 'cancelled' })
  for (const other of running) expectStatus(await cancel(other), 200)
  await expectNoTrace()
  for (const each of [...running, id]) await expectCancelled(each)
  expect(frank.heard(id).map(({ event }) => event)).toEqual(['youtube:created', 'youtube:cancelled'])
})

test('a download cancelled while its downloader is dead is not gone on with', async () => {
  const id = await frank.ask(longFilm('dying'))
  await frank.hear(id, 'youtube:progress', ({ downloadedBytes = 0 }) => downloadedBytes > 10_000)
  const { downloader } = system()
  await downloader.kill('SIGKILL')
  expect(await jobs()).toEqual([id])
  expectStatus(await cancel(id), 200)
  downloader.start()
  await expectNoTrace()
  await expectCancelled(id)
})
