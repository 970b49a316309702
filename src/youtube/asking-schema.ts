import * as z from 'zod'

import { DownloadOptions } from '#contract/options.ts'
import { Selection } from '#contract/selection.ts'
import { VideoMetadata } from '#contract/downloads.ts'

import { refusal } from './refusal.ts'

export const ValidationBody = z.object({
  data: z.object({
    kind: z.enum(['video', 'playlist', 'live', 'upcoming']),
    video: VideoMetadata.pick({
      id: true,
      title: true,
      channel: true,
      durationSeconds: true,
      thumbnail: true,
      live: true,
      startsAt: true,
      availability: true,
    }).optional(),
    playlist: z
      .object({ id: z.string(), title: z.string().optional(), totalVideos: z.int().optional() })
      .optional()
      .meta({ description: 'Of a video: the playlist that its address names as well' }),
    duplicate: z
      .object({ downloadId: z.uuid() })
      .optional()
      .meta({ description: 'One’s own download of this video that is under way' }),
    inLibrary: z
      .array(
        z.object({
          downloadId: z.uuid().optional().meta({ description: 'One’s own; for admins anybody’s' }),
          ratingKey: z.string(),
          url: z.string(),
          options: DownloadOptions,
        }),
      )
      .optional()
      .meta({ description: 'Its forms that are in the library already and that Plex shows the caller' }),
    options: DownloadOptions.meta({ description: 'What was asked for, with what the preset says' }),
    selection: Selection.optional().meta({ description: 'What would be taken, as far as it can be told' }),
    estimatedBytes: z.int().optional(),
    canDownload: z.boolean(),
    ...refusal,
  }),
})
export type Validation = z.output<typeof ValidationBody>['data']

export const PlaylistResult = z.object({
  url: z.string(),
  videoId: z.string().optional(),
  title: z.string().optional(),
  outcome: z.enum(['accepted', 'shared', 'duplicate', 'refused', 'over-quota']).meta({
    description: '`shared`: it was in the library already. `duplicate`: one’s own is under way',
  }),
  downloadId: z.uuid().optional(),
  ...refusal,
})
export type PlaylistResult = z.output<typeof PlaylistResult>

export const PlaylistBody = z.object({
  data: z.object({
    playlistId: z.string(),
    title: z.string().optional(),
    totalVideos: z.int().optional(),
    results: z.array(PlaylistResult),
  }),
  meta: z.object({ count: z.int() }),
})
