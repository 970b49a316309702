import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FromDownloader, RestingSite } from '#contract/downloader-link.ts'
import { openOutbox } from '../../downloader/outbox.ts'
import { openFetching } from './support/fetching.ts'
import { eventually } from './support/launch.ts'
import { jobFor } from './support/scripted-worker.ts'
import { settingOf, type Setting } from './support/setting.ts'
import { youTubeOf } from './support/youtube.ts'

const hourMs = 3_600_000
const site = 'youtube.com'

const sitesOf = (said: FromDownloader | undefined): readonly RestingSite[] | undefined =>
  said?.type === 'state' || said?.type === 'hello' ? said.state.sites : undefined

/** What was said last of the sites that are left alone. */
const lastSites = ({ worker }: Setting): readonly RestingSite[] | undefined =>
  sitesOf(worker.heard.findLast((said) => sitesOf(said) !== undefined))

async function ended({ worker }: Setting, jobId: string) {
  return worker.hear('result', (said) => said.jobId === jobId, 40_000)
}

test.concurrent('a bot check halts the site, over a restart, until one job has tried it', async (test) => {
  const setting = await settingOf(test)
  const { worker } = setting
  const youTube = await youTubeOf(test, setting)
  const films = [await youTube.publish({ id: 'polite_0001' }), await youTube.publish({ id: 'polite_0002' })]
  const [one, two] = films.map((url) => jobFor(url, { videoId: url.slice(-11), quality: '360p' }))
  if (!one || !two) throw new Error('there are two films')
  await youTube.seen.say('bot-check')
  const first = setting.launch({ YT_DLP_PATH: youTube.seen.ytDlp })
  await worker.hear('hello')
  worker.say({ type: 'offer', job: one })
  const { outcome } = await ended(setting, one.jobId)
  if (outcome.kind !== 'failed') throw new Error(outcome.kind)
  expect(outcome.failure).toMatchObject({ code: 'bot-check', retryable: true })
  expect(Date.parse(outcome.failure.retryAt ?? '') - Date.now()).toBeGreaterThan(0.9 * hourMs)
  expect(outcome.failure.evidence?.join()).toMatch(/not a bot/)
  expect(outcome.failure.evidence?.join()).not.toMatch(/https?:|github/)

  const { heard } = worker
  const isHalted = (said: FromDownloader): boolean => sitesOf(said)?.[0]?.reason === 'bot-check'
  expect(heard.findIndex(isHalted)).toBeGreaterThan(0)
  expect(heard.findIndex(isHalted)).toBeLessThan(heard.findIndex(({ type }) => type === 'result'))
  worker.say({ type: 'offer', job: { ...one, lease: 2 } })
  expect(await worker.hear('declined')).toMatchObject({ jobId: one.jobId, lease: 2, reason: 'site' })
  const runs = (await youTube.seen.runs()).length
  const requestId = crypto.randomUUID()
  worker.say({ type: 'ask', requestId, question: { kind: 'metadata', url: one.url } })
  const { answer } = await worker.hear('answer')
  expect(answer).toMatchObject({ kind: 'failed', failure: { code: 'bot-check' } })
  expect(await youTube.seen.runs()).toHaveLength(runs)

  first.child.kill('SIGKILL')
  await first.ended
  endWait(setting)
  await youTube.seen.allow()
  setting.launch({ YT_DLP_PATH: youTube.seen.ytDlp })
  const hellos = (): number => heard.filter(({ type }) => type === 'hello').length
  await eventually(() => hellos() === 2, 15_000)
  expect(lastSites(setting)).toEqual([{ site, reason: 'bot-check', waitMs: 0 }])
  worker.say({ type: 'offer', job: { ...one, lease: 3 } })
  worker.say({ type: 'offer', job: two })
  expect(await worker.hear('declined', ({ jobId }) => jobId === two.jobId)).toMatchObject({ reason: 'site' })
  await worker.hear('result', ({ lease }) => lease === 3, 40_000)
  expect(lastSites(setting)).toEqual([])
  worker.say({ type: 'offer', job: { ...two, lease: 2 } })
  expect(await worker.hear('accepted', ({ lease }) => lease === 2)).toMatchObject({ jobId: two.jobId })
})

/** What an hour would do. */
function endWait({ library }: Setting): void {
  const outbox = openOutbox(join(library, '.medianest', 'downloader.db'))
  const now = Date.now()
  const rest = { reason: 'bot-check', strikes: 1, since: now - hourMs, until: now - 1 }
  outbox.saveSite(site, { bucket: { tokens: 1, at: now }, rest })
  outbox.close()
}

test.concurrent('a site that limits is left alone, and others are not', async (test) => {
  const setting = await settingOf(test)
  const { worker } = setting
  const youTube = await youTubeOf(test, setting)
  setting.launch({ YT_DLP_PATH: youTube.seen.ytDlp })
  await worker.hear('hello')
  const limited = jobFor(setting.site.video('rate-limited').url)
  worker.say({ type: 'offer', job: limited })
  const { outcome } = await ended(setting, limited.jobId)
  if (outcome.kind !== 'failed') throw new Error(outcome.kind)
  expect(outcome.failure).toMatchObject({ code: 'rate-limited', retryable: true })
  // The site asks for half a minute; a wait of our own would be twice that.
  const asked = Date.parse(outcome.failure.retryAt ?? '') - Date.now()
  expect(asked).toBeGreaterThan(0)
  expect(asked).toBeLessThanOrEqual(36_000)
  expect(lastSites(setting)).toMatchObject([
    { site: `127.0.0.1:${setting.site.port}`, reason: 'rate-limited' },
  ])
  worker.say({
    type: 'ask',
    requestId: crypto.randomUUID(),
    question: { kind: 'metadata', url: limited.url },
  })
  expect(await worker.hear('answer')).toMatchObject({
    answer: { kind: 'failed', failure: { code: 'rate-limited', retryAt: expect.any(String) } },
  })
  const url = await youTube.publishPlaylist({ id: 'PLpolite', title: 'A list', videos: [] })
  worker.say({ type: 'ask', requestId: crypto.randomUUID(), question: { kind: 'playlist', url, limit: 5 } })
  expect(await worker.hear('answer', ({ answer }) => answer.kind === 'playlist')).toMatchObject({
    answer: { playlist: { title: 'A list', videos: [] } },
  })
})

test.concurrent('a film of many pieces is given up at once when the site limits them', async (test) => {
  const { site, fetch, close } = await openFetching()
  test.onTestFinished(close)
  site.fault({ kind: 'status', path: '\\.ts$', status: 429, headers: { 'retry-after': '30' } })
  const { result } = await fetch(site.video('hls').url)
  expect(result).toMatchObject({ kind: 'failed', code: 'rate-limited', run: { retryAfterMs: 30_000 } })
  // That it was interrupted is our doing, and no reason.
  expect(result.run.errors).toEqual([])
  // Left to itself, yt-dlp asks for each piece eight times before it gives up.
  const pieces = site.seen().flatMap(({ path }) => (path.endsWith('.ts') ? [path] : []))
  const times = [...new Set(pieces)].map((path) => pieces.filter((piece) => piece === path).length)
  expect(Math.max(...times)).toBeLessThan(8)
})

test.concurrent('jobs wait for their turn in their slots, and can be cancelled there at once', async (test) => {
  const setting = await settingOf(test)
  const { worker } = setting
  setting.launch({ SITE_STARTS_PER_HOUR: '900', SITE_BURST: '1' })
  await worker.hear('hello')
  const [first, waiting, refused] = ['a', 'b', 'c'].map(() => jobFor(setting.site.video('missing').url))
  if (!first || !waiting || !refused) throw new Error('there are three jobs')
  for (const job of [first, waiting, refused]) worker.say({ type: 'offer', job })
  expect(await worker.hear('declined')).toMatchObject({ jobId: refused.jobId, reason: 'site' })
  await ended(setting, first.jobId)
  expect(lastSites(setting)).toMatchObject([{ reason: 'pace' }])
  worker.say({ type: 'cancel', jobId: waiting.jobId, lease: 1 })
  expect((await ended(setting, waiting.jobId)).outcome).toEqual({ kind: 'cancelled' })
})
