import type { Candidate, Situation } from '../../../src/youtube/assign.ts'
import { leased, newJob, placed, type Job } from '../../../src/youtube/job.ts'

export const leaseMs = 60_000
export const now = 1_000_000
export const site = 'youtube.com'

/** Of a video nobody else asks for. */
export const job = (id: string, changes: Partial<Job> = {}): Job => ({
  ...newJob({
    id,
    userId: 'frank',
    videoId: `video-${id}`,
    url: `https://www.youtube.com/watch?v=${id}`,
    quality: '1080p',
    format: 'mp4',
    extras: { chapters: true, thumbnail: true },
    createdAt: `2026-10-01T12:00:0${id}.000Z`,
  }),
  ...changes,
})

export const willing = (downloaderId: string, changes: Partial<Candidate> = {}): Candidate => ({
  downloaderId,
  slots: 1,
  unwillingUntil: 0,
  freeBytes: 1e12,
  rests: [],
  ...changes,
})

export const situation = (
  jobs: readonly Job[],
  candidates: readonly Candidate[],
  changes: Partial<Situation> = {},
): Situation => ({ jobs, candidates, paused: false, perSite: 8, removing: [], ...changes })

export const given = (id: string, to = 'nas', changes: Partial<Job> = {}): Job => leased(job(id, changes), to)

export const scan = { path: '/media/a', file: '/media/a/b.mp4', since: now, requested: true }
export const inPlace = (id: string, changes: Partial<Job> = {}): Job =>
  placed(given(id, 'nas', changes), scan)
