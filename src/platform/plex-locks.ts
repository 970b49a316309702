import { Problem } from '#contract/problem.ts'

import type { PlexLocks } from '../plex/ports.ts'

/** The object that grants leases, as this side of it sees it. */
type LockServer = {
  claimLock(name: string, holder: string, ttlMs: number): Promise<number | undefined>
  renewLock(name: string, token: number, ttlMs: number): Promise<boolean>
  releaseLock(name: string, token: number): Promise<void>
}

type Options = {
  readonly server: () => LockServer
  readonly leaseMs: number
  readonly waitMs: number
  readonly now: () => number
  readonly random: () => number
  readonly sleep: (ms: number) => Promise<void>
  readonly newId: () => string
}

type Held = () => Promise<void>

const firstPollMs = 20
const lastPollMs = 400

const busy = () => new Problem('collection-busy', { members: { retryAfter: 5 } })

/** Locks of one Plex server. Who waits asks again and again, since nothing may wake one request from another. */
export function createPlexLocks(options: Options): PlexLocks {
  const { server, leaseMs, waitMs, now, random, sleep, newId } = options

  const claim = async (name: string, holder: string, until: number) => {
    for (let pollMs = firstPollMs; ; pollMs = Math.min(lastPollMs, 2 * pollMs)) {
      const at = now()
      // When the object goes away in between, its answer is lost, and perhaps not the lease: the holder may ask again.
      const token = await server()
        .claimLock(name, holder, leaseMs)
        .catch(() => undefined)
      if (token !== undefined) return { token, at }
      if (now() >= until) throw busy()
      await sleep(pollMs * (0.5 + random()))
    }
  }

  const hold = async <T>(name: string, until: number, work: (held: Held) => Promise<T>): Promise<T> => {
    const { token, at } = await claim(name, newId(), until)
    let renewedAt = at
    const held = async () => {
      // Half a lease is longer than any call to Plex may take.
      if (now() - renewedAt < leaseMs / 2) return
      const askedAt = now()
      const isOurs = await server()
        .renewLock(name, token, leaseMs)
        .catch(() => false)
      if (!isOurs) throw busy()
      renewedAt = askedAt
    }
    try {
      return await work(held)
    } finally {
      // Whoever waits comes at the latest when it lapses; what was done is done.
      await server()
        .releaseLock(name, token)
        .catch(() => undefined)
    }
  }

  const holdAll = async <T>(
    [first, ...rest]: readonly string[],
    until: number,
    work: (held: Held) => Promise<T>,
  ): Promise<T> => {
    if (first === undefined) return work(async () => undefined)
    return hold(first, until, (held) =>
      holdAll(rest, until, (heldToo) =>
        work(async () => {
          await held()
          await heldToo()
        }),
      ),
    )
  }

  return {
    // All take them in the same order, so that no two wait for one another.
    run: (names, work) => holdAll([...new Set(names)].sort(), now() + waitMs, work),
  }
}
