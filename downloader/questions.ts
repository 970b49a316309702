import type { FromDownloader } from '#contract/downloader-link.ts'
import { createBulkhead } from '#resilience/bulkhead.ts'
import type { Received } from './link.ts'
import type { Log } from './log.ts'
import type { Trouble } from './versions.ts'
import { createFailure } from './ytdlp/failure.ts'
import { probe } from './ytdlp/probe.ts'
import { checkTarget } from './ytdlp/target.ts'
import type { Toolbox } from './ytdlp/toolbox.ts'

export type QuestionOptions = {
  readonly allowedHosts: readonly string[]
  readonly toolbox: Toolbox
  readonly scratchDirectory: string
  readonly troubles: () => readonly Trouble[]
  readonly send: (message: FromDownloader) => void
  readonly log: Log
}

export type Questions = {
  readonly ask: (question: Extract<Received, { type: 'ask' }>) => Promise<void>
  readonly stop: () => void
}

type Answer = Extract<FromDownloader, { type: 'answer' }>['answer']

const questionsAtOnce = 4

/** Answers what the Worker asks about videos, a few at a time. */
export function createQuestions(options: QuestionOptions): Questions {
  const bulkhead = createBulkhead(questionsAtOnce)
  const stopped = new AbortController()
  return {
    ask: async ({ requestId, question }) => {
      const leave = bulkhead.tryEnter()
      let answer: Answer = { kind: 'failed', failure: createFailure('rate-limited') }
      try {
        if (leave) answer = await find(question.url, options, stopped.signal)
      } catch (error) {
        options.log.error('a question could not be answered', { error })
        answer = { kind: 'failed', failure: createFailure('unknown') }
      } finally {
        leave?.()
      }
      options.send({ type: 'answer', requestId, answer })
    },
    stop: () => stopped.abort(),
  }
}

async function find(url: string, options: QuestionOptions, signal: AbortSignal): Promise<Answer> {
  const { allowedHosts, toolbox, scratchDirectory } = options
  const check = checkTarget(url, allowedHosts)
  if (!check.ok) return { kind: 'failed', failure: createFailure(check.code) }
  const troubles = options.troubles()
  if (troubles.includes('ytdlp-missing')) return { kind: 'failed', failure: createFailure('ytdlp-missing') }
  if (check.target.youtube && troubles.includes('ytdlp-outdated'))
    return { kind: 'failed', failure: createFailure('ytdlp-outdated') }
  const found = await probe(check.target, toolbox, scratchDirectory, signal)
  return found.kind === 'metadata'
    ? { kind: 'metadata', metadata: found.metadata }
    : { kind: 'failed', failure: createFailure(found.code) }
}
