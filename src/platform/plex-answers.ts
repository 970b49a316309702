import type { Config } from '../config.ts'
import type { PlexServer } from '../durable/plex-server.ts'
import { createAnswerCache, type AnswerStore } from './answer-cache.ts'
import { createGenerations } from './generations.ts'
import { log } from './logger.ts'
import { withPatience } from './patient-store.ts'
import { createReadCounts } from './read-counts.ts'
import { rememberAnswers } from './remembered-answers.ts'

/** The cache of one Plex server's answers in this isolate, and the counts of changes and reads behind it. */
export function createPlexAnswers(
  kv: AnswerStore,
  server: () => DurableObjectStub<PlexServer>,
  config: Pick<Config, 'plex' | 'ttl' | 'answerMemoryMs'>,
  now: () => number,
) {
  const reads = createReadCounts()
  const generations = createGenerations(server, reads.take, now)
  return {
    cache: createAnswerCache({
      kv: rememberAnswers(withPatience(kv, now), config.answerMemoryMs, now),
      generations,
      server: config.plex.machineIdentifier,
      onRead: reads.count,
      maxStaleMs: config.ttl.maxStale,
      now,
      random: Math.random,
      wait: (ms) => scheduler.wait(ms),
      log,
    }),
    /** Makes all that is kept of a library old; the number of this change. */
    changed: (libraryKey: string) => generations.changed(libraryKey),
    hitRatio: async () => server().hitRatio(reads.take()),
  }
}
