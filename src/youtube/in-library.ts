import type { Download } from '#contract/downloads.ts'
import type { DownloadOptions } from '#contract/options.ts'

import { formOf, isSameForm } from '#contract/form.ts'
import type { YoutubeDependencies } from './ports.ts'

export type InLibrary = ReturnType<typeof createInLibrary>

type Dependencies = Pick<YoutubeDependencies, 'library' | 'store' | 'plex' | 'log' | 'wait'>

/** Who asks for a video does not wait longer than this for Plex to say that it is there. */
const patienceMs = 3_000

/**
 * What is in the library already and can be seen by who asks. The index is a hint, D1 tells what is known of the files,
 * and Plex shows each user their own items: what any of them leaves in doubt is not there.
 */
export function createInLibrary({ library, store, plex, log, wait }: Dependencies) {
  const entriesOf = async (videoIds: readonly string[], options: DownloadOptions | undefined) => {
    const form = options && formOf(options)
    const entries = (await Promise.all(videoIds.map((videoId) => library.of(videoId)))).flat()
    return entries.filter((entry) => form === undefined || formOf(entry.options) === form)
  }

  const shown = async (userId: string, downloads: readonly Download[]): Promise<Download[]> => {
    const keys = [...new Set(downloads.flatMap(({ plex: item }) => item?.ratingKey ?? []))]
    if (keys.length === 0) return []
    const late = wait(patienceMs).then(() => undefined)
    const seen = await Promise.race([plex.seen(userId, keys), late])
    const visible = new Set(seen?.map(({ ratingKey }) => ratingKey))
    return downloads.filter(({ plex: item }) => item && visible.has(item.ratingKey))
  }

  return {
    /** The downloads of these videos whose file this user can watch, of one form if it is given: the user’s own first. */
    async of(userId: string, videoIds: readonly string[], options?: DownloadOptions): Promise<Download[]> {
      try {
        const ids = (await entriesOf(videoIds, options)).map(({ downloadId }) => downloadId)
        if (ids.length === 0) return []
        const visible = await shown(userId, await store.placed(userId, ids))
        const isForeign = (download: Download) => Number(download.userId !== userId)
        return visible
          .filter((download) => !options || isSameForm(download, options))
          .toSorted((a, b) => isForeign(a) - isForeign(b) || ids.indexOf(a.id) - ids.indexOf(b.id))
      } catch (cause) {
        log('info', 'library-in-doubt', { cause: String(cause) })
        return []
      }
    },
  }
}
