import type { Background } from '../http/cached-response.ts'
import type { Collections } from './collections.ts'
import { rows, text, type Row } from './container.ts'
import { plexPath, type PlexReader } from './ports.ts'
import { unlessGone } from './reads.ts'
import { batches } from './collection-plan.ts'
import { RatingKey } from './schema.ts'

type Dependencies = {
  readonly reader: PlexReader
  readonly collections: Pick<Collections, 'create'>
}

/** Background work has nobody to answer to: what it would leave behind, it waits for. */
const noBackground: Background = () => undefined

/** The part of Plex that other features stand on: what a user sees at this moment, past every cache. */
export function createShelf({ reader, collections }: Dependencies) {
  return {
    async seen(userId: string, ratingKeys: readonly string[]) {
      const keys = ratingKeys.filter((key) => RatingKey.safeParse(key).success)
      const found = []
      for (const batch of batches(keys)) {
        const question = { path: plexPath`/library/metadata/${batch.join(',')}` }
        const { container } = await unlessGone(reader.read(userId, question), { container: {} })
        found.push(...rows(container['Metadata']).flatMap((row) => seenItem(row, container)))
      }
      return found.filter(({ ratingKey }) => keys.includes(ratingKey))
    },

    /** As that admin: with their own token, so that Plex is the one who allows it. */
    async collect(
      userId: string,
      place: { readonly libraryKey: string; readonly title: string },
      ratingKeys: readonly string[],
    ): Promise<void> {
      const caller = { userId, sessionId: '', role: 'admin', scope: `${userId}.0` } as const
      const { libraryKey, title } = place
      await collections.create(
        { caller, background: noBackground },
        { libraryKey, title: title.normalize('NFC') },
        ratingKeys,
      )
    },
  }
}

/** What lies in Plex's trash is shown for a while, and cannot be played. */
function seenItem(row: Row, container: Row) {
  const ratingKey = text(row['ratingKey'])
  if (ratingKey === undefined || text(row['deletedAt']) !== undefined) return []
  const libraryKey = text(row['librarySectionID']) ?? text(container['librarySectionID'])
  return [{ ratingKey, libraryKey, type: text(row['type']) ?? '' }]
}
