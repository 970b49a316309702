import { siteOf } from '#contract/downloader-link.ts'
import type { FromDownloader } from '#contract/downloader-link.ts'
import type { FailureCode } from '#contract/failures.ts'
import { createBulkhead } from '#resilience/bulkhead.ts'
import type { Received } from './link.ts'
import type { Log } from './log.ts'
import type { Refusal, Sites } from './sites.ts'
import { patienceMs } from './sites.ts'
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

/** Answers what the Worker asks about videos, a few at a time. */
export function createQuestions(options: QuestionOptions): Questions {
  const bulkhead = createBulkhead(questionsAtOnce)
  const stopped = new AbortController()
  return {
    ask: async ({ requestId, question }) => {
      const leave = bulkhead.tryEnter()
      let answer = failed('rate-limited')
      try {
        if (leave) answer = await find(requestId, question, options, stopped.signal)
      } catch (error) {
        options.log.error('a question could not be answered', { error })
        answer = failed('unknown')
      } finally {
        leave?.()
        options.sites.leave(requestId)
      }
      options.send({ type: 'answer', requestId, answer })
    },
    stop: () => stopped.abort(),
  }
}

const failed = (code: FailureCode, details?: Parameters<typeof createFailure>[1]): Answer => ({
  kind: 'failed',
  failure: createFailure(code, details),
})

async function find(
  visitor: string,
  question: Question,
  options: QuestionOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const { allowedHosts, sites, secrets } = options
  const check = checkOf(question, allowedHosts)
  if (!check.ok) return failed(check.code)
  const { target } = check
  const lacking = lackingTool(options.troubles(), target)
  if (lacking) return failed(lacking)
  const refusal = sites.book(visitor, { site: siteOf(target.url), weight, patienceMs })
  if (refusal) return refused(refusal)

  const found = await lookUp(question, target, options, signal)
  if (found.kind !== 'failed') {
    sites.served(visitor)
    return found
  }
  const { code, run } = found
  const retryAt = sites.failed(visitor, code, run && askedPauseMs(run))
  return failed(code, { ...(retryAt && { retryAt }), ...(run && { evidence: evidenceOf(run, secrets) }) })
}

const checkOf = ({ kind, url }: Question, allowedHosts: readonly string[]): TargetCheck =>
  kind === 'playlist' ? checkPlaylistTarget(url, allowedHosts) : checkTarget(url, allowedHosts)

function lackingTool(troubles: readonly Trouble[], { youtube }: Target): FailureCode | undefined {
  if (troubles.includes('ytdlp-missing')) return 'ytdlp-missing'
  return youtube && troubles.includes('ytdlp-outdated') ? 'ytdlp-outdated' : undefined
}

/** Whoever asks waits for the answer: it is better to say at once that there is none. */
function refused({ reason, waitMs }: Refusal): Answer {
  const retryAt = new Date(Date.now() + waitMs)
  return failed(reason === 'bot-check' ? 'bot-check' : 'rate-limited', { retryAt })
}

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
