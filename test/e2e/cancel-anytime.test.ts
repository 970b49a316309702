import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { expectStatus } from '../../scripts/demo/client.ts'
import { listen } from '../../scripts/demo/listener.ts'
import { chance, crashSeed, roundsOf } from './support/chance.ts'
import { systemForFile } from './support/shared-system.ts'
import { filesOf, programsOf } from './support/system.ts'
import { countOf, enter, type Viewer } from './support/wishes.ts'

const system = systemForFile({ DOWNLOADS_PER_HOUR: '1000' })
const { between } = chance(crashSeed)
let frank: Viewer
/** How long a film takes from the wish to the place in Plex. */
let usualMs = 0

const film = (name: string): string => `${system().world.videoSite.url}/watch/rate=150000/lighthouse?${name}`

const within = { timeout: 10_000, interval: 50 }

beforeAll(async () => {
  frank = await enter(system(), system().demo.friends[0])
  const began = performance.now()
  const id = await frank.ask(film('undisturbed'))
  await frank.hear(id, 'youtube:available')
  usualMs = performance.now() - began
  await frank.clear()
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
  const heard = frank.heard(id)
  expect(countOf(heard, 'youtube:cancelled')).toBe(1)
  expect(countOf(heard, 'youtube:completed') + countOf(heard, 'youtube:failed')).toBe(0)
}

const rounds = Array.from({ length: roundsOf(4) }, (_, index) => index + 1)

test.each(rounds)('cancelled at any moment a download leaves nothing, round %i', async (round) => {
  const id = await frank.ask(film(`round-${round}`))
  // The rounds have a slice of its life each, so that every state is met.
  const slice = usualMs / rounds.length
  await sleep(slice * (round - 1) + between(0, slice))
  if (await cancel(id)) return expectNoTrace(id)
  // It had ended a moment before, which is no cancelling; what it has left behind is what was asked for.
  await frank.hear(id, 'youtube:completed')
  expect(await filesOf(system())).not.toEqual([])
  await frank.clear()
})
