import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { FromDownloader } from '#contract/downloader-link.ts'
import { createLog } from '../../downloader/log.ts'
import { openOutbox } from '../../downloader/outbox.ts'
import { createQuestions } from '../../downloader/questions.ts'
import { createSites } from '../../downloader/sites.ts'

const isPrivate = '#!/bin/sh\necho "ERROR: [youtube] x: Private video" >&2\nexit 1\n'
const isSilent = '#!/bin/sh\nexec sleep 60\n'

type Given = { readonly script?: string; readonly startsPerHour?: number; readonly burst?: number }

/** Questions to a yt-dlp that does what it is told; turns are waited for by a clock that goes as fast as it is asked. */
async function questionsTo({ script = isPrivate, startsPerHour = 3600, burst = 100 }: Given = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-questions-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const ytDlp = join(folder, 'yt-dlp')
  await writeFile(ytDlp, script, { mode: 0o755 })
  const clock = { now: 1_000_000_000_000 }
  const waits: number[] = []
  const sites = createSites({
    pace: { startsPerHour, burst },
    store: openOutbox(':memory:'),
    now: () => clock.now,
    random: () => 0,
    onChange: () => undefined,
  })
  const answers = new Map<string, Extract<FromDownloader, { type: 'answer' }>['answer']>()
  const questions = createQuestions({
    allowedHosts: [],
    toolbox: {
      ytDlp,
      ffmpeg: 'ffmpeg',
      ffprobe: 'ffprobe',
      node: process.execPath,
      environment: { PATH: process.env['PATH'] ?? '' },
      cacheDirectory: join(folder, 'cache'),
      rateLimit: undefined,
      cookiesFile: undefined,
      proxy: undefined,
      sponsorBlockApi: undefined,
    },
    scratchDirectory: folder,
    troubles: () => [],
    sites,
    secrets: [],
    send: (message) => {
      if (message.type === 'answer') answers.set(message.requestId, message.answer)
    },
    wait: async (ms) => {
      waits.push(ms)
    },
    log: createLog({ write: () => undefined, now: () => new Date(0), secrets: [] }),
  })
  const ask = async (timeoutMs = 30_000) => {
    const requestId = randomUUID()
    const url = 'https://www.youtube.com/watch?v=dQw4w9WgXcQ'
    await questions.ask({ type: 'ask', requestId, timeoutMs, question: { kind: 'metadata', url } })
    return answers.get(requestId)
  }
  return { ask, stop: questions.stop, waits, sites, clock }
}

const told = { kind: 'failed', failure: expect.objectContaining({ code: 'private' }) }

test('however many ask at once, all hear of the video', async () => {
  const { ask } = await questionsTo()
  const answers = await Promise.all(Array.from({ length: 9 }, () => ask()))
  expect(answers).toEqual(answers.map(() => told))
})

test('a question waits for its turn, and hears how long that would be when it is too long', async () => {
  const { ask, waits, clock } = await questionsTo({ startsPerHour: 60, burst: 0.25 })
  expect(await ask()).toEqual(told)
  expect(await ask()).toEqual(told)
  expect(waits).toEqual([0, 15_000])
  expect(await ask()).toEqual({ kind: 'busy', waitMs: 30_000 })
  clock.now += 15_000
  expect(await ask()).toEqual(told)
})

test('who gets no place in time is told to come again, and no program outlives its question', async () => {
  const { ask } = await questionsTo({ script: isSilent })
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask(300)))
  expect(answers).toEqual([300, 300, 300, 300, 100].map((waitMs) => ({ kind: 'busy', waitMs })))
})

test('who waits when the downloader stops is told so at once', async () => {
  const { ask, stop } = await questionsTo({ script: isSilent })
  const asked = Array.from({ length: 5 }, () => ask())
  stop()
  expect((await Promise.all(asked)).map((answer) => answer?.kind)).toEqual(Array(5).fill('busy'))
})

test('a site that has come to rest meanwhile is not visited', async () => {
  const { ask, sites } = await questionsTo({ script: isSilent })
  const four = Array.from({ length: 4 }, () => ask(300))
  const fifth = ask()
  sites.book('job', { site: 'youtube.com', weight: 1, patienceMs: 0 })
  sites.failed('job', 'bot-check')
  await Promise.all(four)
  expect(await fifth).toMatchObject({ kind: 'failed', failure: { code: 'bot-check' } })
})
