import * as z from 'zod'

import { DownloadOptions } from '#contract/options.ts'

import type { LibraryEntry, LibraryIndex } from '../youtube/ports.ts'

const Entries = z.array(z.object({ downloadId: z.uuid(), options: DownloadOptions }))
const maxEntries = 10

/**
 * Which downloads have put a file of a video into the library, in KV: a list to look things up by, while D1 and Plex say
 * what holds. An index in D1 would cost each download a row more. The queue writes it,
 * and who passes a file on; should they ever meet, what is lost is a hint.
 */
export function createLibraryIndex(kv: KVNamespace): LibraryIndex & {
  add(videoId: string, entry: LibraryEntry): Promise<void>
  remove(videoId: string, downloadId: string): Promise<void>
  /** The file of one is another’s now. */
  replace(videoId: string, from: string, to: string): Promise<void>
} {
  const keyOf = (videoId: string) => `library:${videoId}`
  const of = async (videoId: string): Promise<LibraryEntry[]> =>
    Entries.safeParse(await kv.get(keyOf(videoId), 'json')).data ?? []
  const put = (videoId: string, entries: readonly LibraryEntry[]): Promise<void> =>
    entries.length === 0 ? kv.delete(keyOf(videoId)) : kv.put(keyOf(videoId), JSON.stringify(entries))

  return {
    of,
    add: async (videoId, entry) => {
      const others = (await of(videoId)).filter(({ downloadId }) => downloadId !== entry.downloadId)
      await put(videoId, [entry, ...others].slice(0, maxEntries))
    },
    remove: async (videoId, downloadId) => {
      const known = await of(videoId)
      const left = known.filter((entry) => entry.downloadId !== downloadId)
      if (left.length < known.length) await put(videoId, left)
    },
    replace: async (videoId, from, to) => {
      const known = await of(videoId)
      const changed = known.map((entry) => (entry.downloadId === from ? { ...entry, downloadId: to } : entry))
      if (known.some(({ downloadId }) => downloadId === from)) await put(videoId, changed)
    },
  }
}
