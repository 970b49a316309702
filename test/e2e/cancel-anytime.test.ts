import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { expectStatus } from '../../scripts/demo/client.ts'
import { listen } from '../../scripts/demo/listener.ts'
import { momentsIn, roundsOf } from './support/chance.ts'
import { systemForFile } from './support/shared-system.ts'
import { filesOf, programsOf } from './support/system.ts'
import { countOf, enter, type Viewer } from './support/wishes.ts'

const system = systemForFile({ DOWNLOADS_PER_HOUR: '1000' })
let frank: Viewer

/** One file, and one of many pieces: they end in different ways. */
const films = ['lighthouse', 'hls'] as const
type Film = (typeof films)[number]
const bytesPerSecond = { lighthouse: 300_000, hls: 1_200_000 } as const
/** How long each takes until its file is in place and known to Plex. */
const usualMs = { lighthouse: 0, hls: 0 }

const address = (film: Film, name: string): string =>
  `${system().world.videoSite.url}/watch/rate=${bytesPerSecond[film]}/${film}?${name}`

const within = { timeout: 10_000, interval: 50 }

beforeAll(async () => {
  frank = await enter(system(), system().demo.friends[0])
  // The first time everything is slower.
  for (const film of [...films, ...films]) {
    const began = performance.now()
    const id = await frank.ask(address(film, 'undisturbed'))
    await frank.hear(id, 'youtube:completed')
    usualMs[film] = performance.now() - began
    await frank.clear()
  }
})

afterAll(() => frank.listener.close())

/** Whether it was in time. */
async function cancel(id: string): Promise<boolean> {
  const answer = await frank.client.post(`/api/youtube/downloads/${id}/cancel`, {}, frank.person)
  if (answer.status === 409) {
    expect(answer.body).toMatchObject({ code: 'download-finished', downloadStatus: 'completed' })
    return false
  }
  expect(expectStatus(answer, 200).body.data.status).toBe('cancelled')
  return true
}

async function expectNoTrace(id: string): Promise<void> {
  await expect.poll(() => programsOf(system()), within).toEqual([])
  await expect.poll(() => readdir(system().jobsFolder), within).toEqual([])
  await expect.poll(() => filesOf(system()), within).toEqual([])
  await frank.hear(id, 'youtube:cancelled')
  expect((await frank.read(id)).status).toBe('cancelled')
  const newcomer = await listen(frank.client, system().demo.liveUrl, frank.person)
  newcomer.close()
  expect(newcomer.frames[0]?.data.downloads).toEqual([])
  const overview = await frank.client.get('/api/youtube/queue', system().demo.admin)
  expect(expectStatus(overview, 200).body.data).toMatchObject({ waiting: 0, running: 0, scanning: 0 })
  const heard = frank.heard(id)
  expect(countOf(heard, 'youtube:cancelled')).toBe(1)
  expect(countOf(heard, 'youtube:completed') + countOf(heard, 'youtube:failed')).toBe(0)
}

const mostTries = 5

for (const { round, share, name } of momentsIn(11, roundsOf(4))) {
  test(`a download cancelled ${name} leaves nothing`, async () => {
    const film = films[round % films.length] ?? 'hls'
    for (let tries = 0; tries < mostTries; tries += 1) {
      const id = await frank.ask(address(film, `round-${round}-${tries}`))
      await sleep(share * 0.9 ** tries * usualMs[film])
      if (await cancel(id)) return expectNoTrace(id)
      // It had ended a moment before, which is no cancelling.
      await frank.hear(id, 'youtube:completed')
      await frank.clear()
    }
    throw new Error(`the film had ended before each of ${mostTries} cancels`)
  })
}
