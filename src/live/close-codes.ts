/** How a room ends a connection of its own accord, and what a client should do then. */
export const closeCodes = {
  unsupported: { code: 1003, reason: 'too many messages that make no sense' },
  tooBig: { code: 1009, reason: 'message too big' },
  failed: { code: 1011, reason: 'try again' },
  sessionEnded: { code: 4401, reason: 'session ended' },
  reauthenticate: { code: 4408, reason: 'connect again to prove who you are' },
  tooManySockets: { code: 4429, reason: 'too many connections of this user' },
} as const satisfies Record<string, Closing>

export type Closing = { readonly code: number; readonly reason: string }
