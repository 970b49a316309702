import * as z from 'zod'

/** Where the stand-ins of one file of the Worker's tests listen. */
export const WorldUrls = z.object({
  plexUrl: z.string(),
  plexTvUrl: z.string(),
  machineIdentifier: z.string(),
  youtubeFolder: z.string(),
})
export type WorldUrls = Readonly<z.output<typeof WorldUrls>>
