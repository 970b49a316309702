import * as z from 'zod'

/** The title of a Plex collection. What people see as one title is one, however its accents were typed. */
export const CollectionTitle = z
  .string()
  .trim()
  .normalize('NFC')
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must hold whole characters, and none that control')
