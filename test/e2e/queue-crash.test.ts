import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { isLive, until } from '../../scripts/local/readiness.ts'
import { momentsIn, roundsOf } from './support/chance.ts'
import { follow, type Follower } from './support/follower.ts'
import { systemForFile } from './support/shared-system.ts'
import { mediaOf, programsOf, sha256Of } from './support/system.ts'
import { countOf, enter, type Viewer } from './support/wishes.ts'

const system = systemForFile({ DOWNLOADS_PER_HOUR: '1000' })
const within = { timeout: 10_000, interval: 50 }
let frank: Viewer
let follower: Follower
let undisturbed: readonly string[]
/** How long five films take when nothing is in their way. */
let usualMs = 0

/** Slow enough that some are on their way while others wait. */
const bytesPerSecond = 200_000

const films = (): string[] => {
  const { url, videos } = system().world.videoSite
  const drills = videos.filter(({ kind }) => kind === 'drill')
  return drills.map(({ id }) => `${url}/watch/rate=${bytesPerSecond}/${id}`)
}

beforeAll(async () => {
  frank = await enter(system(), system().demo.friends[0])
  follower = await follow(frank, system().demo.liveUrl)
  const began = performance.now()
  await expectFiveEnds(await askForAll())
  usualMs = performance.now() - began
  undisturbed = await sums()
  expect(new Set(undisturbed).size).toBe(5)
})

afterAll(() => {
  follower.close()
  frank.listener.close()
})

async function askForAll(): Promise<string[]> {
  await frank.clear()
  const ids: string[] = []
  for (const url of films()) ids.push(await frank.ask(url))
  return ids
}

async function sums(): Promise<string[]> {
  const names = await mediaOf(system())
  const all = await Promise.all(names.map((name) => sha256Of(system(), name)))
  return all.toSorted()
}

async function expectFiveEnds(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const { status, attempt } = await frank.see(id, 'available', ({ plex }) => plex !== undefined)
    expect({ status, attempt }).toEqual({ status: 'completed', attempt: 1 })
  }
}

const strikes = {
  'the downloader': async () => {
    await system().downloader.kill('SIGKILL')
    system().downloader.start()
  },
  'the Worker': async () => {
    await killWorker()
    await workerIsBack()
  },
  both: async () => {
    await Promise.all([system().downloader.kill('SIGKILL'), killWorker()])
    system().downloader.start()
    await workerIsBack()
  },
} as const

async function killWorker(): Promise<void> {
  const [pid] = system().worker.processIds()
  if (pid === undefined) throw new Error('the Worker does not run')
  process.kill(pid, 'SIGKILL')
  await until(async () => !system().worker.processIds().includes(pid), 'the Worker does not die')
}

async function workerIsBack(): Promise<void> {
  await until(() => isLive(system().baseUrl), 'the Worker does not come back')
  await follower.again()
}

/** None comes twice, and no progress is taken back. Where the Worker lives on, none is swallowed either. */
function expectOneStory(id: string, workerLives: boolean): void {
  const heard = follower.heard(id)
  for (const event of ['created', 'started', 'completed', 'available']) {
    const count = countOf(heard, `youtube:${event}`)
    if (workerLives) expect.soft(count, event).toBe(1)
    else expect.soft(count, event).toBeLessThan(2)
  }
  for (const event of ['failed', 'cancelled']) expect.soft(countOf(heard, `youtube:${event}`), event).toBe(0)
  const phases = heard.filter(({ event }) => event === 'youtube:processing').map(({ data }) => data.phase)
  // What was told before both have died is in nobody's memory.
  if (workerLives) expect.soft(phases, 'phases').toEqual([...new Set(phases)])
  let highest = 0
  for (const { event, data } of heard) {
    if (event === 'youtube:retrying') highest = 0
    if (event !== 'youtube:progress') continue
    expect.soft(data.progress, `after ${highest} %`).toBeGreaterThanOrEqual(highest)
    highest = Math.max(highest, Number(data.progress))
  }
}

for (const [salt, [what, strike]] of Object.entries(strikes).entries()) {
  for (const { share, name } of momentsIn(salt, roundsOf(1))) {
    test(`a queue of five ends as always when ${what} is killed ${name}`, async () => {
      const ids = await askForAll()
      await sleep(share * usualMs)
      await strike()
      await expectFiveEnds(ids)
      expect(await sums()).toEqual(undisturbed)
      for (const id of ids) expectOneStory(id, what === 'the downloader')
      await expect.poll(() => readdir(system().jobsFolder), within).toEqual([])
      await expect.poll(() => programsOf(system()), within).toEqual([])
    })
  }
}
