import * as z from 'zod'

import type { Kept } from './delivery.ts'

const maxLength = 200
// More than is kept, so that an e-mail address at the cut is still seen whole.
const looked = 600

const emailAddress = /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}/gu
// Line breaks and other controls, and those that turn the reading direction.
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]+/gu

/** One bounded line of text, without control characters and e-mail addresses; nothing when nothing is left. */
export function tidy(text: string): string | undefined {
  const plain = text
    .slice(0, looked)
    .toWellFormed()
    .replaceAll(unprintable, ' ')
    .replaceAll(emailAddress, '[e-mail]')
  return plain.trim().slice(0, maxLength).toWellFormed().trim() || undefined
}

/** A field that people or programs filled in. Anything but text or a number counts as absent. */
export const Line = z
  .union([z.string(), z.number()])
  .transform((value) => tidy(String(value)))
  .optional()
  .catch(undefined)

/** An id that may enter an address later on, so digits only. */
export const Digits = z
  .union([z.string(), z.number()])
  .transform((value) => /^\d{1,12}$/.exec(String(value))?.[0])
  .optional()
  .catch(undefined)

/** Part of a body that may be missing, null, or something else altogether. */
export const part = <S extends z.ZodRawShape>(shape: S) => z.object(shape).optional().catch(undefined)

/** What to keep: the fields named here that are there. */
export function keep(fields: Readonly<Record<string, string | number | undefined>>): Kept {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
