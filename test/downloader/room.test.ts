import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ladderFile } from '../world/video-site/catalogue.ts'
import { openFetching, placed, type Fetching } from './support/fetching.ts'

let place: Fetching

beforeAll(async () => {
  place = await openFetching()
})
afterAll(() => place.close())

const small = { quality: '360p', extras: { chapters: true, thumbnail: false } } as const
const film = ladderFile(360)

test.concurrent('of a full disk ffmpeg says that it failed, and the job waits for room', async () => {
  const ytDlp = join(place.scratch, 'yt-dlp')
  await writeFile(ytDlp, `#!/bin/sh\necho 'ERROR: Postprocessing: Conversion failed!' >&2; exit 1\n`)
  await chmod(ytDlp, 0o755)
  const { url } = place.site.media(film)
  const full = { reserveBytes: Number.MAX_SAFE_INTEGER }
  expect((await place.fetch(url, small, { ytDlp })).placement).toBe('post-processing')
  expect((await place.fetch(url, small, { ytDlp }, full)).placement).toBe('no-space')
})

test.concurrent('room is kept for what is still to come, and not for what lies there', async () => {
  const { url, bytes } = place.site.media(film, { rate: 400_000 })
  const whole = Buffer.from(await (await fetch(place.site.media(film).url)).arrayBuffer())
  const half = Math.floor(bytes / 2)
  const layHalf = async (directory: string): Promise<void> => {
    await mkdir(join(directory, 'partial'))
    await writeFile(join(directory, 'partial', 'media.mp4.part'), whole.subarray(0, half))
  }
  const got = await place.fetch(url, small, {}, { prepare: layHalf })
  expect(placed(got).file.bytes).toBeGreaterThan(half)
  const most = Math.max(...got.promised)
  expect(most).toBeGreaterThan(0)
  // One byte is taken off a part before it is continued.
  expect(most).toBeLessThanOrEqual(bytes * 2 - (half - 1))
})
