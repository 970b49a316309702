import type { Download } from '#contract/downloads.ts'
import type { LiveEvent } from '#contract/live.ts'

/**
 * What was said while a hello was on its way, without the progress that the hello has overtaken: nobody hears of a
 * download going back, unless it is tried again.
 */
export function afterHello<T extends { readonly event: LiveEvent }>(
  downloads: readonly Pick<Download, 'id' | 'progress'>[],
  said: readonly T[],
): T[] {
  const known = new Map(downloads.map(({ id, progress }) => [id, progress]))
  return said.filter(({ event: { event, data } }) => {
    if (event === 'youtube:retrying') known.delete(data.downloadId)
    return event !== 'youtube:progress' || data.progress >= (known.get(data.downloadId) ?? 0)
  })
}
