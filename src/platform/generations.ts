import type { Reads } from '../plex/hit-ratio.ts'
import type { GenerationOf, Generations } from './answer-cache.ts'

const trustedForMs = 5_000

type Known = Readonly<Record<string, number>>

/** The object that counts changes, as this side of it sees it. */
type ChangeLog = {
  /** Takes in passing what was read since the last call. */
  generations(reads: Reads): Promise<Known>
  changed(libraryKey: string): Promise<Known>
  claimRenewal(key: string): Promise<boolean>
}

const generationIn =
  (generations: Known): GenerationOf =>
  (changesWith) =>
    generations[changesWith] ?? 0

/** How often anything has changed, all libraries together. */
const changesIn = (generations: Known) => generations['any'] ?? 0

/**
 * The server's generations as this isolate knows them: another's change is seen within five seconds, one made here at
 * once. `takeReads` hands over what was counted here, which travels with the question and costs no call of its own.
 */
export function createGenerations(server: () => ChangeLog, takeReads: () => Reads, now: () => number) {
  let known: { readonly at: number; readonly generations: Known } | undefined

  // Answers may overtake one another, and what is known of a change is not unlearned.
  const learn = (generations: Known): Known => {
    const isNewer = !known || changesIn(generations) >= changesIn(known.generations)
    known = { at: now(), generations: isNewer ? generations : (known?.generations ?? {}) }
    return known.generations
  }

  const latest = async (since: number): Promise<Known> => {
    const isTrusted = known && now() - known.at < trustedForMs && changesIn(known.generations) >= since
    return isTrusted && known ? known.generations : learn(await server().generations(takeReads()))
  }

  return {
    async current(since = 0): Promise<GenerationOf> {
      try {
        return generationIn(await latest(since))
      } catch {
        // Better an answer that may be seconds too old than none.
        return generationIn(known?.generations ?? {})
      }
    },

    claimRenewal: async (key: string) => server().claimRenewal(key),

    /** Makes all that is kept of a library old; how many changes there have been, this one included. */
    async changed(libraryKey: string): Promise<number> {
      return changesIn(learn(await server().changed(libraryKey)))
    },
  } satisfies Generations & { changed(libraryKey: string): Promise<number> }
}
