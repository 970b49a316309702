import { genericSender } from './generic.ts'
import { githubSender } from './github.ts'
import { overseerrSender } from './overseerr.ts'
import { plexSender } from './plex.ts'
import type { WebhookSecrets } from './ports.ts'
import type { Sender } from './sender.ts'
import { isStandardSecret, standardKey } from './standard-webhooks.ts'

/** Where a delivery was posted to. */
export type Target =
  | { readonly kind: 'plex'; readonly secret: string }
  | { readonly kind: 'overseerr' | 'github' }
  | { readonly kind: 'generic'; readonly name: string }

export type Senders = ReturnType<typeof createSenders>

export function createSenders(secrets: WebhookSecrets, machineIdentifier: string) {
  const generic = new Map(
    Object.entries(secrets.generic).map(([name, list]) => [name, list.filter(isUsable)] as const),
  )
  const usableGeneric = [...generic].filter(([, list]) => list.length > 0)

  return {
    /** The sender that may post there, or nothing when the operator has set up none. */
    at(target: Target): Sender | undefined {
      switch (target.kind) {
        case 'plex':
          return secrets.plex.length > 0
            ? plexSender(secrets.plex, target.secret, machineIdentifier)
            : undefined
        case 'overseerr':
          return secrets.overseerr.length > 0 ? overseerrSender(secrets.overseerr) : undefined
        case 'github':
          return secrets.github.length > 0 ? githubSender(secrets.github) : undefined
        case 'generic':
          // A name that does not exist is a sender that nothing can verify: a stranger cannot tell it from another.
          return usableGeneric.length > 0
            ? genericSender(target.name, generic.get(target.name) ?? [])
            : undefined
      }
    },

    /** Every source that there is or could be, and whether it can be verified. */
    configured: [
      { source: 'plex' as const, configured: secrets.plex.length > 0 },
      { source: 'overseerr' as const, configured: secrets.overseerr.length > 0 },
      { source: 'github' as const, configured: secrets.github.length > 0 },
      ...Array.from(generic, ([name, list]) => ({
        source: `generic:${name}` as const,
        configured: list.length > 0,
      })),
    ],
  }
}

/** A `whsec_` secret that is not base64 could verify nothing, so it counts as not set. */
function isUsable(secret: string): boolean {
  return isStandardSecret(secret) ? standardKey(secret) !== undefined : secret !== ''
}
