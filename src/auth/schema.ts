import * as z from 'zod'

export const StartedPin = z
  .object({
    id: z.string(),
    code: z.string(),
    authUrl: z.url().meta({ description: 'Open this in a browser and approve' }),
    expiresAt: z.iso.datetime(),
    pollSeconds: z.number().positive(),
    pinSecret: z
      .string()
      .meta({ description: 'Proves on polling that it was you who asked; send it as X-Pin-Secret' }),
  })
  .meta({ id: 'StartedPin' })

export const StartPin = z.strictObject({
  forwardUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ description: 'Where Plex sends the browser afterwards; an allowed origin' }),
})

export const PinParam = z.object({ id: z.string().regex(/^\d{1,15}$/) })

export const SignedInUser = z.object({
  id: z.string(),
  username: z.string(),
  role: z.enum(['user', 'admin']),
})

export const SignedIn = z
  .object({
    user: SignedInUser,
    accessToken: z.string().optional(),
    accessTokenExpiresAt: z.iso.datetime(),
    refreshToken: z.string().optional(),
  })
  .meta({ id: 'SignedIn', description: 'A browser gets its tokens as cookies and not in the body' })

export const PendingPin = z.object({ state: z.literal('pending'), pollSeconds: z.number().positive() })

export const Refresh = z.strictObject({ refreshToken: z.string().max(512).optional() })

export const SignOut = z.strictObject({ everywhere: z.boolean().default(false) })

export const CurrentSession = z.object({ user: SignedInUser, sessionId: z.string() })
