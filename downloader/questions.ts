import { siteOf } from '#contract/downloader-link.ts'
import type { FromDownloader } from '#contract/downloader-link.ts'
import type { FailureCode } from '#contract/failures.ts'
import type { Received } from './link.ts'
import type { Log } from './log.ts'
import { createPlaces } from './places.ts'
import type { Places } from './places.ts'
import type { Refusal, Sites } from './sites.ts'
import type { Trouble } from './versions.ts'
import { askedPauseMs, createFailure, evidenceOf } from './ytdlp/failure.ts'
import { probePlaylist } from './ytdlp/playlist.ts'
import { probe } from './ytdlp/probe.ts'
import type { RunResult } from './ytdlp/run.ts'
import { checkPlaylistTarget, checkTarget } from './ytdlp/target.ts'
import type { Target, TargetCheck } from './ytdlp/target.ts'
import type { Toolbox } from './ytdlp/toolbox.ts'

export type QuestionOptions = {
  readonly allowedHosts: readonly string[]
  readonly toolbox: Toolbox
  readonly scratchDirectory: string
  readonly troubles: () => readonly Trouble[]
  readonly sites: Sites
  readonly secrets: readonly string[]
  readonly send: (message: FromDownloader) => void
  readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>
  readonly log: Log
}

type Asked = Extract<Received, { type: 'ask' }>
type Question = Asked['question']

export type Questions = {
  readonly ask: (asked: Asked) => Promise<void>
  readonly stop: () => void
}

type Answer = Extract<FromDownloader, { type: 'answer' }>['answer']

const questionsAtOnce = 4
/** A question costs a site less than a download does. */
const weight = 0.25

type State = {
  readonly options: QuestionOptions
  readonly places: Places
  readonly stopped: AbortSignal
}

/** Answers what the Worker asks about videos, a few at a time, and says so when that takes longer than it waits. */
export function createQuestions(options: QuestionOptions): Questions {
  const stopping = new AbortController()
  const state: State = { options, places: createPlaces(questionsAtOnce), stopped: stopping.signal }
  return {
    ask: async (asked) => {
      const { requestId } = asked
      let answer = failed('unknown')
      try {
        answer = await find(asked, state)
      } catch (error) {
        options.log.error('a question could not be answered', { error })
      } finally {
        options.sites.leave(requestId)
      }
      options.send({ type: 'answer', requestId, answer })
    },
    stop: () => stopping.abort(),
  }
}

const failed = (code: FailureCode, details?: Parameters<typeof createFailure>[1]): Answer => ({
  kind: 'failed',
  failure: createFailure(code, details),
})

const busy = (waitMs: number): Answer => ({ kind: 'busy', waitMs: Math.ceil(waitMs) })

async function find(asked: Asked, state: State): Promise<Answer> {
  const { options, stopped } = state
  const check = checkOf(asked.question, options.allowedHosts)
  if (!check.ok) return failed(check.code)
  const lacking = lackingTool(options.troubles(), check.target)
  if (lacking) return failed(lacking)
  const deadline = AbortSignal.any([stopped, AbortSignal.timeout(asked.timeoutMs)])
  const entered = await enter(asked, check.target, state)
  if (typeof entered !== 'function') return entered
  try {
    return await visit(asked, check.target, options, deadline)
  } finally {
    entered()
  }
}

/** Waits for a turn at the site, then for a place, and leaves enough time to look. Answers how to leave, or why not. */
async function enter(
  { requestId, timeoutMs }: Asked,
  target: Target,
  { options: { sites, wait }, places, stopped }: State,
): Promise<Answer | (() => void)> {
  const lookMs = Math.ceil(timeoutMs / 3)
  const patienceMs = timeoutMs - lookMs
  const patience = AbortSignal.any([stopped, AbortSignal.timeout(patienceMs)])
  const refusal = sites.book(requestId, { site: siteOf(target.url), weight, patienceMs })
  if (refusal) return refused(refusal)
  const waitMs = sites.waitMs(requestId)
  if (waitMs > patienceMs) return busy(waitMs)
  try {
    await wait(waitMs, stopped)
    return await places.enter(patience)
  } catch (error) {
    if (patience.aborted) return busy(lookMs)
    throw error
  }
}

async function visit(
  { requestId, question, timeoutMs }: Asked,
  target: Target,
  options: QuestionOptions,
  deadline: AbortSignal,
): Promise<Answer> {
  const { sites, secrets } = options
  const halted = sites.halted(requestId)
  if (halted) return refused(halted)
  const found = await lookUp(question, target, options, deadline)
  if (found.kind !== 'failed') {
    sites.served(requestId)
    return found
  }
  const { code, run } = found
  const retryAt = sites.failed(requestId, code, run && askedPauseMs(run))
  // It was ended, and that says nothing of the video.
  if (!retryAt && deadline.aborted) return busy(timeoutMs)
  return failed(code, { ...(retryAt && { retryAt }), ...(run && { evidence: evidenceOf(run, secrets) }) })
}

const checkOf = ({ kind, url }: Question, allowedHosts: readonly string[]): TargetCheck =>
  kind === 'playlist' ? checkPlaylistTarget(url, allowedHosts) : checkTarget(url, allowedHosts)

function lackingTool(troubles: readonly Trouble[], { youtube }: Target): FailureCode | undefined {
  if (troubles.includes('ytdlp-missing')) return 'ytdlp-missing'
  return youtube && troubles.includes('ytdlp-outdated') ? 'ytdlp-outdated' : undefined
}

/** A pace of our own is no failure of the video, nor the site's word. */
const refused = ({ reason, waitMs }: Refusal): Answer =>
  reason === 'pace' ? busy(waitMs) : failed(reason, { retryAt: new Date(Date.now() + waitMs) })

type Found =
  | Exclude<Answer, { kind: 'failed' }>
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly run?: RunResult }

async function lookUp(
  question: Question,
  target: Target,
  { toolbox, scratchDirectory }: QuestionOptions,
  signal: AbortSignal,
): Promise<Found> {
  if (question.kind === 'playlist')
    return probePlaylist(target, question.limit, toolbox, scratchDirectory, signal)
  const found = await probe(target, toolbox, scratchDirectory, signal)
  return found.kind === 'failed' ? found : { kind: 'metadata', metadata: found.metadata }
}
