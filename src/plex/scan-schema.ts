import * as z from 'zod'

const path = z.string().min(1).max(1024)

export const RefreshLibrary = z.strictObject({
  path: path.optional().meta({ description: 'A folder inside the library, as the Plex server sees it' }),
})
export const RefreshBody = z.object({
  data: z.object({ libraryKey: z.string(), path: z.string().optional(), state: z.literal('queued') }),
})
