import type { Download } from '#contract/downloads.ts'
import { formOf, isSameForm } from '#contract/form.ts'
import { isAudio, type DownloadOptions } from '#contract/options.ts'

import type { YoutubeDependencies } from './ports.ts'

export type InLibrary = ReturnType<typeof createInLibrary>

type Dependencies = Pick<YoutubeDependencies, 'library' | 'store' | 'queue' | 'plex' | 'log' | 'wait'>

const shortcomings: ReadonlySet<string> = new Set(['lower-than-offered', 'formats-missing'])

/** A site that kept its better forms back may give them another time. */
const isWhatWasWanted = ({ warnings = [] }: Download): boolean =>
  !warnings.some(({ code }) => shortcomings.has(code))

/** Who asks for a video does not wait longer than this for Plex to say that it is there. */
const patienceMs = 3_000

/**
 * What is in the library already, is to stay there and can be seen by who asks. The index is a hint, D1 tells what is
 * known of the files, and Plex shows each user their own items: what any of them leaves in doubt is not there. Sound is
 * shown by no library of films, and taken to be there.
 */
export function createInLibrary({ library, store, queue, plex, log, wait }: Dependencies) {
  const entriesOf = async (videoIds: readonly string[], options: DownloadOptions | undefined) => {
    const form = options && formOf(options)
    const entries = (await Promise.all(videoIds.map((videoId) => library.of(videoId)))).flat()
    return entries.filter((entry) => form === undefined || formOf(entry.options) === form)
  }

  const shown = async (userId: string, downloads: readonly Download[]): Promise<Download[]> => {
    const keys = [...new Set(downloads.flatMap(({ plex: item }) => item?.ratingKey ?? []))]
    const heard = downloads.filter(({ plex: item, format }) => !item && isAudio(format))
    if (keys.length === 0) return heard
    const late = wait(patienceMs).then(() => undefined)
    const seen = await Promise.race([plex.seen(userId, keys), late])
    const visible = new Set(seen?.map(({ ratingKey }) => ratingKey))
    return [...heard, ...downloads.filter(({ plex: item }) => item && visible.has(item.ratingKey))]
  }

  return {
    /** The downloads of these videos whose file this user can watch, of one form if it is given: the user’s own first. */
    async of(userId: string, videoIds: readonly string[], options?: DownloadOptions): Promise<Download[]> {
      try {
        const known = (await entriesOf(videoIds, options)).map(({ downloadId }) => downloadId)
        if (known.length === 0) return []
        const { leaving } = await queue.removals()
        const ids = known.filter((id) => !leaving.includes(id))
        const whole = (await store.placed(userId, ids)).filter(isWhatWasWanted)
        const visible = await shown(userId, whole)
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
