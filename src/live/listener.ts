import * as z from 'zod'

import { LiveTopic, topicOf, type Audience, type LiveEventName } from '#contract/live.ts'

import type { Role } from '../http/env.ts'

/** Carries the entry. Set by the Worker alone, after it has authenticated the caller: nobody else reaches a room. */
export const entryHeader = 'x-live-entry'

/** What a Worker tells a room about a socket it has authenticated. */
export const Entry = z.object({
  userId: z.string().min(1),
  sessionId: z.string().min(1),
  role: z.enum(['user', 'admin']),
  /** Keys of the Plex libraries this user may see. */
  libraries: z.array(z.string()),
  topics: z.array(LiveTopic),
  /** When the session was last known to be alive. */
  admittedAt: z.number(),
  since: z.int().nonnegative().optional(),
})
export type Entry = z.output<typeof Entry>

/** What a room remembers of an open socket; it rides in the socket's attachment, where hibernation leaves it. */
export const Listener = Entry.omit({ since: true }).extend({
  id: z.string(),
  /** Its place in the order of arrivals. */
  arrival: z.int(),
  /** Whether the hello was sent: nothing comes before it. */
  greeted: z.boolean(),
  mistakes: z.int().nonnegative(),
})
export type Listener = z.output<typeof Listener>

type Hearing = {
  readonly userId: string
  readonly role: Role
  readonly libraries: readonly string[]
  readonly topics: readonly LiveTopic[]
}

/** Whether an event is meant for this listener, and of a topic it asked for. */
export function hears(listener: Hearing, audience: Audience, event: LiveEventName): boolean {
  return isAddressed(listener, audience) && isWanted(listener, event)
}

function isAddressed({ userId, role, libraries }: Hearing, audience: Audience): boolean {
  if (audience.kind === 'user') return audience.userId === userId
  return role === 'admin' || (audience.kind === 'section' && libraries.includes(audience.libraryKey))
}

function isWanted({ topics }: Hearing, event: LiveEventName): boolean {
  const topic = topicOf(event)
  return topics.length === 0 || topics.some((wanted) => wanted === topic)
}
