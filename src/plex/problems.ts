import type { ProblemCode } from '#contract/problems.ts'

/** What may come of any question put to PMS in a person's name: PMS itself, or a token that plex.tv is asked about. */
export const plexProblems = [
  'plex-unavailable',
  'plex-maintenance',
  'plex-tv-unavailable',
  'upstream-invalid',
  'plex-sign-in-required',
  'not-a-member',
] as const satisfies readonly ProblemCode[]
