import type { Frame } from '../../scripts/demo/listener.ts'

const ends = new Set(['completed', 'failed', 'cancelled', 'retrying'].map((end) => `youtube:${end}`))

/** How many downloads a downloader was at work on at once, at the most, by what was told of them. */
export function mostAtOnce(frames: readonly Pick<Frame, 'event' | 'data'>[]): number {
  const running = new Set<unknown>()
  let most = 0
  for (const { event, data } of frames) {
    if (event === 'youtube:progress' && data.waitingFor === undefined) running.add(data.downloadId)
    // From the scan on it is Plex that works.
    else if (ends.has(event) || data.phase === 'scanning' || event === 'youtube:progress')
      running.delete(data.downloadId)
    most = Math.max(most, running.size)
  }
  return most
}
