import type { Log } from '../http/env.ts'
import type { CollectingStore, PlexShelf, SeenItem, ToCollect } from './ports.ts'

type Dependencies = {
  readonly store: CollectingStore
  readonly plex: PlexShelf
  readonly log: Log
  readonly now: () => number
}

const perRound = 100
/** What Plex would not have for so long, it will not have. */
const givenUpAfterMs = 24 * 3_600_000

/** Puts videos into the collections that were asked for with them, once Plex shows them. */
export function createCollecting({ store, plex, log, now }: Dependencies) {
  /** Each library has its own collection of a title, and a collection holds items of one type. */
  const collect = async (waiting: readonly [ToCollect, ...ToCollect[]]): Promise<void> => {
    const [{ userId, title }] = waiting
    const seen = await plex.seen(userId, [...new Set(waiting.map(({ ratingKey }) => ratingKey))])
    for (const items of Map.groupBy(seen, placeOf).values()) {
      const libraryKey = items[0]?.libraryKey
      if (libraryKey === undefined) continue
      const keys = items.map(({ ratingKey }) => ratingKey)
      await plex.collect(userId, { libraryKey, title }, keys)
      const ids = waiting.filter(({ ratingKey }) => keys.includes(ratingKey)).map(({ id }) => id)
      await store.collected(ids, new Date(now()).toISOString())
    }
  }

  return {
    /** The minute's round. What fails is left for the next. */
    async round(): Promise<void> {
      const waiting = await store.waiting(new Date(now() - givenUpAfterMs).toISOString(), perRound)
      const groups = Map.groupBy(waiting, ({ userId, title }) => JSON.stringify([userId, title]))
      for (const [first, ...others] of groups.values()) {
        if (!first) continue
        try {
          await collect([first, ...others])
        } catch (cause) {
          log('warn', 'collection-not-filled', { cause: String(cause) })
        }
      }
    },
  }
}

const placeOf = ({ libraryKey, type }: SeenItem) => `${libraryKey ?? ''}:${type}`
