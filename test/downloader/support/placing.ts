import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { VideoMetadata } from '#contract/downloads.ts'
import type { Placement } from '../../../downloader/outbox.ts'
import { createPlacer, type PlaceRequest } from '../../../downloader/placement.ts'

/** An empty library and what places into it; what a file is as tall as, its first letters tell. */
export async function library(heights: Readonly<Record<string, number>> = {}) {
  const path = await mkdtemp(join(tmpdir(), 'medianest-placement-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  const records = new Map<string, Placement>()
  const placer = createPlacer({
    libraryDirectory: path,
    plexLibraryPath: '/plex',
    outbox: {
      placement: (jobId) => records.get(jobId),
      recordPlacement: (jobId, placement) => {
        records.set(jobId, placement)
      },
    },
    heightOf: async (file) => heights[(await readFile(file, 'utf8')).slice(0, 5)],
    now: () => new Date('2026-02-03T12:00:00Z'),
  })
  return { path, placer, records }
}

export const metadata = (changes: Partial<VideoMetadata> = {}): VideoMetadata => ({
  id: 'x',
  title: 'A Title',
  uploadDate: '2025-07-04',
  availableHeights: [],
  availableQualities: [],
  ...changes,
})

/** A film and its picture that lie ready to be placed. */
export async function request(
  path: string,
  jobId: string,
  content: string,
  changes: Partial<PlaceRequest> = {},
): Promise<PlaceRequest> {
  const scratch = join(path, '.medianest', jobId)
  await mkdir(scratch, { recursive: true })
  const media = join(scratch, 'media.mp4')
  const artwork = join(scratch, 'artwork.jpg')
  await writeFile(media, content)
  await writeFile(artwork, 'jpeg')
  return {
    jobId,
    videoId: 'video-1',
    site: 'youtube',
    channel: 'A Channel',
    edition: undefined,
    metadata: metadata(),
    media,
    artwork,
    sidecars: [],
    scratch,
    selection: {
      wanted: { quality: '1080p', format: 'mp4' },
      reason: 'exact',
      directPlay: true,
      explanation: 'It was there.',
    },
    warnings: [],
    facts: { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') },
    ...changes,
  }
}
