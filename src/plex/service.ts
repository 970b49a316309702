import type { Asked } from '../http/cached-response.ts'
import { createBrowse } from './browse.ts'
import type { HitRatio } from './hit-ratio.ts'
import { createItemPages } from './item-pages.ts'
import type { PlexDependencies } from './ports.ts'
import { createReads } from './reads.ts'
import { createRecentlyAdded } from './recently-added.ts'
import { LibrariesBody } from './schema.ts'
import { createSearch } from './search.ts'

export type Plex = ReturnType<typeof createPlex>

/** Reading Plex: each with their own token, through one cache. */
export function createPlex(dependencies: PlexDependencies) {
  const reads = createReads(dependencies)
  const browse = createBrowse(reads, dependencies)
  return {
    ...browse,
    ...createItemPages(reads, dependencies),
    ...createSearch(reads, dependencies),
    ...createRecentlyAdded(reads, dependencies),

    /** Which libraries the caller may see, from the same answer as `libraries`. */
    async libraryKeys(asked: Asked): Promise<readonly string[]> {
      const { body } = await browse.libraries(asked)
      return LibrariesBody.parse(JSON.parse(body)).data.map(({ key }) => key)
    },

    health: dependencies.probe,

    /** Nothing when it cannot be told: health is asked for when things are not well. */
    async hitRatio(): Promise<HitRatio | undefined> {
      try {
        return await dependencies.hitRatio()
      } catch {
        return undefined
      }
    },
  }
}
