import { createClient, expectStatus } from '../../scripts/demo/client.ts'
import { listen } from '../../scripts/demo/listener.ts'
import { mostAtOnce } from './at-once.ts'
import type { BenchSystem } from './bench-system.ts'
import { mebibytesBelow, mebibytesOf } from './memory.ts'

/** The greatest that was seen, MiB. */
export type CrowdFigures = {
  readonly idle: number
  readonly busy: number
  readonly programs: number
  readonly mostAtOnce: number
}

/** So that four films are on their way together for some seconds. */
const bytesPerSecond = 300_000
const lookEveryMs = 100

/** What the downloader holds in memory with this many downloads at once, and what yt-dlp and ffmpeg hold beside it. */
export async function measureCrowd(
  { demo, world, downloader }: BenchSystem,
  crowd: number,
): Promise<CrowdFigures> {
  const [friend] = demo.friends
  const pid = downloader.pid()
  if (!friend || pid === undefined) throw new Error('nobody is there to download')
  const client = createClient(demo.baseUrl)
  const listener = await listen(client, demo.liveUrl, friend)
  const figures = { idle: mebibytesOf(pid), busy: 0, programs: 0 }
  const look = setInterval(() => {
    figures.busy = Math.max(figures.busy, mebibytesOf(pid))
    figures.programs = Math.max(figures.programs, mebibytesBelow(pid))
  }, lookEveryMs)
  try {
    const { url } = world.videoSite.video('slow')
    const address = url.replace('/watch/', `/watch/rate=${bytesPerSecond}/`)
    const ids = await Promise.all(
      Array.from({ length: crowd }, async (_, index) => {
        const wish = { url: `${address}?crowd=${index}` }
        return String(
          expectStatus(await client.post('/api/youtube/download', wish, friend), 201).body.data.id,
        )
      }),
    )
    for (const id of ids)
      await listener.until(
        'the film in Plex',
        ({ event, data }) => event === 'youtube:available' && data.downloadId === id,
      )
  } finally {
    clearInterval(look)
    listener.close()
  }
  return { ...figures, mostAtOnce: mostAtOnce(listener.frames) }
}
