import { grant, lapsed, renew, type Lease } from '#resilience/lease.ts'

const leaseName = (name: string) => `lock:${name}`

/** Leases by name, kept in an object's storage; whoever is cut off loses its lease when it lapses. */
export function createLocks(storage: SyncKvStorage, now: () => number) {
  const leaseOf = (name: string) => storage.get<Lease>(leaseName(name))

  /** What has lapsed is forgotten, for there may be a name for every collection there ever was. */
  const sweep = (): void => {
    for (const [key, lease] of storage.list<Lease>({ prefix: leaseName('') })) {
      if (lapsed(lease, now())) storage.delete(key)
    }
  }

  return {
    /** The token of the lease, or nothing while another has it. Asking again, the holder gets it anew. */
    claim(name: string, holder: string, ttlMs: number): number | undefined {
      sweep()
      const current = leaseOf(name)
      if (current && current.holder !== holder) return undefined
      // Tokens are counted for all names together, so that a lease may be forgotten and no token comes back.
      const last = { holder, token: storage.get<number>('lock-tokens') ?? 0, until: 0 }
      const lease = grant(last, holder, now(), ttlMs)
      storage.put('lock-tokens', lease.token)
      storage.put(leaseName(name), lease)
      return lease.token
    },

    /** False when the lease has lapsed or is another's: then nothing may be done under it any more. */
    renew(name: string, token: number, ttlMs: number): boolean {
      const lease = renew(leaseOf(name), token, now(), ttlMs)
      if (lease) storage.put(leaseName(name), lease)
      return lease !== undefined
    },

    release(name: string, token: number): void {
      if (leaseOf(name)?.token === token) storage.delete(leaseName(name))
    },
  }
}
